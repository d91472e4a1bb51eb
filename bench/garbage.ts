/** Garbage that V8 has not collected yet is no growth: the roles of a soak collect theirs when they are asked to. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ProcessFacts } from './processes.ts';

const collects = `
import v8 from 'node:v8';
import vm from 'node:vm';
v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');
process.on('SIGUSR2', () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }));
`;
const collectionMs = 1_000;

/** For a platform's environment. A module of its own text: its processes have users that may not read this folder. */
export const collectable = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(collects)}` } as const;

/** Has these processes, started with `collectable`, give up all memory that nothing refers to. */
export async function collectGarbage(processes: readonly ProcessFacts[], signal: AbortSignal): Promise<void> {
  for (const { pid } of processes) process.kill(pid, 'SIGUSR2');
  await pause(collectionMs, undefined, { signal });
}
