/** Control’s process. */
import { runRole } from '../role/run-role.ts';
import { startControl } from './start-control.ts';

await runRole(startControl);
