/** Control’s process. */
import { askRootKeys } from '../role/ask-root-keys.ts';
import { runRole } from '../role/run-role.ts';
import { startControl } from './start-control.ts';

await runRole((config, log) => startControl(config, log, askRootKeys(process)));
