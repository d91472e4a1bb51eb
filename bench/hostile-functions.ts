/** Functions that take all they can get, from inside a sandbox. Those that answer say how far they came; `/warm` and `/fine` do nothing. */
import type { ConfigInput } from './control-api.ts';

export interface HostileFunction {
  readonly source: string;
  readonly config: ConfigInput;
}

const spawning = "import { spawn } from 'node:child_process';";
const files = "import fs from 'node:fs';";
const shell = (command: string): string => `spawn('/bin/sh', ['-c', ${JSON.stringify(command)}], { stdio: 'ignore' })`;

export const forkBomb: HostileFunction = {
  source: `${spawning} export const handler = (e) => e.rawPath === '/warm' || new Promise(() => { const go = () => { for (let i = 0; i < 10; i++) ${shell('while :; do sleep 61 & done')}.on('error', () => {}); setTimeout(go, 10); }; go(); });`,
  config: { timeoutMs: 10_000 },
};

/** A shell that becomes another program collects no children any more. */
export const zombies: HostileFunction = {
  source: `${spawning} export const handler = () => new Promise(() => { ${shell('for i in $(seq 10000); do (exit) & done; exec sleep 63')}; });`,
  config: { timeoutMs: 5_000 },
};

/** Eight threads, and signals that it would end by are ignored. */
export const spins: HostileFunction = {
  source:
    "import { Worker } from 'node:worker_threads'; for (const s of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(s, () => {}); export const handler = (e) => { if (e.rawPath === '/warm') return 1; for (let i = 0; i < 8; i++) new Worker('for (;;);', { eval: true }); for (;;); };",
  config: { timeoutMs: 1_000, memoryMiB: 512 },
};

const memoryBomb = (code: string): HostileFunction => ({
  source: `${files} export const handler = (e) => { if (e.rawPath === '/fine') return 'fine'; ${code} };`,
  config: { memoryMiB: 128, timeoutMs: 20_000 },
});
/** By where the memory is. */
export const memoryBombs = {
  heap: memoryBomb('const all = []; for (;;) all.push(new Array(1000).fill({ a: Math.random() }));'),
  native: memoryBomb('const all = []; for (;;) all.push(Buffer.alloc(1 << 20, 1));'),
  tmpfs: memoryBomb("for (let i = 0; ; i++) fs.writeFileSync('/tmp/' + i, Buffer.alloc(1 << 20, 1));"),
  shared: memoryBomb("for (let i = 0; ; i++) fs.writeFileSync('/dev/shm/' + i, Buffer.alloc(1 << 20, 1));"),
};

/** `/tmp` with bytes, then with files. Answers with how many of each there was room for, and the error at the end. */
export const fillsTmp: HostileFunction = {
  source: `${files}
    const until = (write) => { let count = 0; try { for (;; count++) write(count); } catch (e) { return { count, code: e.code }; } };
    export const handler = () => {
      const bytes = until((n) => fs.writeFileSync('/tmp/b' + n, Buffer.alloc(1 << 20, 1)));
      for (const name of fs.readdirSync('/tmp')) fs.rmSync('/tmp/' + name);
      return { bytes, files: until((n) => fs.writeFileSync('/tmp/f' + n, '')) };
    };`,
  config: { memoryMiB: 1_024, timeoutMs: 60_000 },
};

/** A million descriptors. Answers with how many there were, and the error at the end. */
export const opensFiles: HostileFunction = {
  source: `${files} export const handler = () => { const all = []; try { for (let i = 0; i < 1e6; i++) all.push(fs.openSync('/dev/null')); } catch (e) { all.forEach((fd) => fs.closeSync(fd)); return { code: e.code, count: all.length }; } };`,
  config: {},
};
