/** The `swiftlet` command. This file imports next to nothing: what it loads later comes from a cache of compiled code. */
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from '../role/home.ts';

enableCompileCache(join(cacheFolder(process.env), 'compiled'));
process.title = 'swiftlet';
const { runCommandLine } = await import('./command-line.ts');
await runCommandLine(process.argv);
