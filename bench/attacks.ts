/** Functions and callers that take all they can get, as they are tried beside another function. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { ConfigInput } from './control-api.ts';
import { fillsTmp, forkBomb, memoryBombs, opensFiles, spins, zombies } from './hostile-functions.ts';
import { timedRequest } from './timed-request.ts';

export interface Attack {
  readonly what: string;
  readonly source: string;
  readonly config?: ConfigInput;
  /** Resolves when this one time is over; what the platform answers to it is the tests' matter. */
  readonly once: (url: string) => Promise<unknown>;
}

const mebibyte = 1024 * 1024;
const poursMiB = 200;
const printedMiB = 100;
const callersAtOnce = 100;
/** What is silent for longer is given up: what answers are due is what the tests watch. */
const silenceMs = 60_000;

const spawning = "import { spawn } from 'node:child_process';";
const endless = (statements: string): string => `export const handler = () => { ${statements} };`;
const large = { memoryMiB: 1_024, timeoutMs: 60_000 };

const ask = (url: string) => timedRequest(url);
/** Many callers that have nothing to do with one another. */
const askAtOnce = (url: string) => Promise.all(Array.from({ length: callersAtOnce }, () => takeAll(url)));

export const attacks: readonly Attack[] = [
  { what: 'a fork bomb', ...forkBomb, once: ask },
  { what: '10,000 zombies', ...zombies, once: ask },
  { what: 'eight threads that spin', ...spins, once: ask },
  { what: 'memory: heap', ...memoryBombs.heap, once: ask },
  { what: 'memory: buffers', ...memoryBombs.native, once: ask },
  { what: 'memory: /tmp', ...memoryBombs.tmpfs, once: ask },
  { what: '/tmp full of bytes, then of files', ...fillsTmp, once: ask },
  { what: 'a million descriptors', ...opensFiles, once: ask },
  {
    what: 'output without end: lines',
    source: endless(`const line = 'x'.repeat(100_000); for (let i = 0; i < ${printedMiB * 10.5}; i++) console.log(line);`),
    config: large,
    once: ask,
  },
  {
    what: 'output without end: one line of another program',
    source: `${spawning} export const handler = () => new Promise((r) => spawn('/bin/sh', ['-c', 'head -c ${printedMiB * mebibyte} /dev/zero | tr "\\\\0" x'], { stdio: ['ignore', 'inherit', 'inherit'] }).on('exit', r));`,
    config: large,
    once: ask,
  },
  {
    what: 'an answer without end, taken as fast as it comes',
    source: `const piece = new Uint8Array(65536); export default { fetch() { let left = ${poursMiB * 16};
      return new Response(new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(piece); else c.close(); } })); } };`,
    config: large,
    once: takeAll,
  },
  { what: 'an answer of 100 MB', source: endless("return 'x'.repeat(100_000_000)"), config: large, once: ask },
  {
    what: '100,000 headers',
    source: endless("return { statusCode: 200, headers: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => ['h' + i, 'v'])) }"),
    config: large,
    once: ask,
  },
  { what: 'an init that fails, asked again and again', source: 'throw new Error("never");', once: ask },
  {
    what: `an init that throws, ${callersAtOnce} callers at once`,
    source: 'throw new Error("no start");',
    config: { maximum: 5 },
    once: askAtOnce,
  },
  {
    what: `an init that is killed, ${callersAtOnce} callers at once`,
    source: "process.kill(process.pid, 'SIGKILL');",
    config: { maximum: 5 },
    once: askAtOnce,
  },
  { what: `${callersAtOnce} callers at once`, source: endless('return 1;'), config: { maximum: 5 }, once: askAtOnce },
  { what: `${callersAtOnce} callers that hang up`, source: endless('return 1;'), config: { maximum: 5 }, once: hangUps },
];

/** Sends a request as cheaply as can be, since whoever attacks is on the same machine, and reads the answer to its end. */
async function takeAll(url: string): Promise<void> {
  const socket = await send(url);
  if (socket.closed) return;
  socket.resume();
  await once(socket, 'close');
}

async function hangUps(url: string): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: callersAtOnce }, () => send(url)));
  for (const socket of sockets) socket.resetAndDestroy();
}

async function send(url: string): Promise<Socket> {
  const { hostname, port, pathname } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  socket.setTimeout(silenceMs, () => socket.destroy());
  await once(socket, 'connect');
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
  return socket;
}
