/** Whoever calls functions that take all they can get: a process of its own, as every load is. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AttackCalls } from './attack-calls.ts';

export interface Attacker extends Disposable {
  /** Resolves when these calls are over. */
  call(url: string, calls: AttackCalls, signal: AbortSignal): Promise<void>;
}

/** Longer than any call takes that is given up for its silence. */
const callLimitMs = 180_000;

export function openAttacker(): Attacker {
  // In a session of its own, since the kernel shares the processors out by session.
  const caller = fork(fileURLToPath(new URL('./attack-caller.ts', import.meta.url)), { detached: true });
  const ended = once(caller, 'exit');
  return {
    async call(url, calls, signal) {
      caller.send({ url, calls });
      const limited = AbortSignal.any([signal, AbortSignal.timeout(callLimitMs)]);
      const outcome = await Promise.race([once(caller, 'message', { signal: limited }), ended]);
      if (outcome[0] !== 'over') throw new Error(`the process that makes the calls ended with ${outcome[0]}`);
    },
    [Symbol.dispose]: () => {
      caller.kill();
    },
  };
}
