/** What one tenant's callers ask for, far over its quota: from a process of their own, as every load is. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

export interface NoisyCalls {
  readonly url: string;
  readonly perSecond: number;
  readonly headers: Readonly<Record<string, string>>;
}

const countsSchema = z.record(z.string(), z.int());
/** How many answers had which status; `none` for calls without an answer, `unsent` for those that found too many others under way. */
export type NoisyCounts = z.infer<typeof countsSchema>;

const takeLimitMs = 10_000;

export interface NoisyLoad extends Disposable {
  /** @returns the counts since it began */
  take(): Promise<NoisyCounts>;
}

/** Calls at a steady pace, whatever comes back, until disposed. */
export function startNoisyLoad(calls: NoisyCalls): NoisyLoad {
  // In a session of its own, since the kernel shares the processors out by session.
  const caller = fork(fileURLToPath(new URL('./noisy-caller.ts', import.meta.url)), [JSON.stringify(calls)], { detached: true });
  return {
    async take() {
      caller.send('take');
      const [counts] = (await once(caller, 'message', { signal: AbortSignal.timeout(takeLimitMs) })) as unknown[];
      return countsSchema.parse(counts);
    },
    [Symbol.dispose]: () => {
      caller.kill();
    },
  };
}
