/** Functions and callers that take all they can get, as they are tried beside another function. */
import { type AttackCalls, callersAtOnce } from './attack-calls.ts';
import type { ConfigInput } from './control-api.ts';
import { fillsTmp, forkBomb, memoryBombs, opensFiles, spins, zombies } from './hostile-functions.ts';

export interface Attack {
  readonly what: string;
  readonly source: string;
  readonly config?: ConfigInput;
  /** Who asks it, each time. */
  readonly calls: AttackCalls;
}

const mebibyte = 1024 * 1024;
const poursMiB = 200;
const printedMiB = 100;

const spawning = "import { spawn } from 'node:child_process';";
const endless = (statements: string): string => `export const handler = () => { ${statements} };`;
const large = { memoryMiB: 1_024, timeoutMs: 60_000 };

export const attacks: readonly Attack[] = [
  { what: 'a fork bomb', ...forkBomb, calls: 'one' },
  { what: '10,000 zombies', ...zombies, calls: 'one' },
  { what: 'eight threads that spin', ...spins, calls: 'one' },
  { what: 'memory: heap', ...memoryBombs.heap, calls: 'one' },
  { what: 'memory: buffers', ...memoryBombs.native, calls: 'one' },
  { what: 'memory: /tmp', ...memoryBombs.tmpfs, calls: 'one' },
  { what: '/tmp full of bytes, then of files', ...fillsTmp, calls: 'one' },
  { what: 'a million descriptors', ...opensFiles, calls: 'one' },
  {
    what: 'output without end: lines',
    source: endless(`const line = 'x'.repeat(100_000); for (let i = 0; i < ${printedMiB * 10.5}; i++) console.log(line);`),
    config: large,
    calls: 'one',
  },
  {
    what: 'output without end: one line of another program',
    source: `${spawning} export const handler = () => new Promise((r) => spawn('/bin/sh', ['-c', 'head -c ${printedMiB * mebibyte} /dev/zero | tr "\\\\0" x'], { stdio: ['ignore', 'inherit', 'inherit'] }).on('exit', r));`,
    config: large,
    calls: 'one',
  },
  {
    what: 'an answer without end, taken as fast as it comes',
    source: `const piece = new Uint8Array(65536); export default { fetch() { let left = ${poursMiB * 16};
      return new Response(new ReadableStream({ pull(c) { if (left-- > 0) c.enqueue(piece); else c.close(); } })); } };`,
    config: large,
    calls: 'one',
  },
  { what: 'an answer of 100 MB', source: endless("return 'x'.repeat(100_000_000)"), config: large, calls: 'one' },
  {
    what: '100,000 headers',
    source: endless("return { statusCode: 200, headers: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => ['h' + i, 'v'])) }"),
    config: large,
    calls: 'one',
  },
  { what: 'an init that fails, asked again and again', source: 'throw new Error("never");', calls: 'one' },
  {
    what: `an init that throws, ${callersAtOnce} callers at once`,
    source: 'throw new Error("no start");',
    config: { maximum: 5 },
    calls: 'many',
  },
  {
    what: `an init that is killed, ${callersAtOnce} callers at once`,
    source: "process.kill(process.pid, 'SIGKILL');",
    config: { maximum: 5 },
    calls: 'many',
  },
  { what: `${callersAtOnce} callers at once`, source: endless('return 1;'), config: { maximum: 5 }, calls: 'many' },
  { what: `${callersAtOnce} callers that hang up`, source: endless('return 1;'), config: { maximum: 5 }, calls: 'hang-ups' },
];
