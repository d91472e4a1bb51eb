// What makes this process one that starts a function's program.
import { Instance } from '../node/instance.mjs';
import { captureOutput } from '../node/logs.mjs';
import { countBeside } from '../node/memory.mjs';
import { openBootstrap } from './bootstrap.mjs';
import { openJava } from './java.mjs';
import { kibibytesBelow } from './memory-beside.mjs';
import { openServer } from './server.mjs';

/** By the names of runtimes. @type {Readonly<Record<string, (codeDir: string, request: import('../node/instance.mjs').InitRequest) => Promise<import('../node/invocation.mjs').Form>>>} */
const ways = { provided: openBootstrap, http: openServer, java: openJava };

/** @type {import('../node/instance.mjs').FindCode} */
function findProgram(codeDir, request) {
  const open = ways[request.runtime ?? ''];
  if (open === undefined) throw new Error(`this sandbox starts programs, not functions of the runtime ${request.runtime}`);
  return () => open(codeDir, request);
}

/** @param {ReadonlySet<import('../node/channel.mjs').Channel>} open all connections that are open, as they come and go */
export function openInstance(open) {
  const instance = new Instance(open, findProgram);
  captureOutput();
  countBeside(kibibytesBelow);
  process.on('uncaughtException', (error) => instance.crash(error));
  process.on('unhandledRejection', (reason) => instance.crash(reason));
  return instance;
}
