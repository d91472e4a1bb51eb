/** Requests at a steady rate while somebody else is measured: from a process of its own, as every load is. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const answersSchema = z.object({
  /** Answers with 2xx. */
  good: z.int(),
  /** The statuses of all others; 0 where there was no answer. */
  failed: z.array(z.int()),
});
export type NoiseAnswers = z.infer<typeof answersSchema>;

export interface Noise extends Disposable {
  /** Sends no more. @returns once all that was sent is answered */
  stop(signal: AbortSignal): Promise<NoiseAnswers>;
}

export function makeNoise(url: string, perSecond: number): Noise {
  // In a session of its own, since the kernel shares the processors out by session.
  const caller = fork(fileURLToPath(new URL('./noise-caller.ts', import.meta.url)), [url, String(perSecond)], { detached: true });
  return {
    async stop(signal) {
      caller.send('stop');
      const [answers] = (await once(caller, 'message', { signal })) as unknown[];
      return answersSchema.parse(answers);
    },
    [Symbol.dispose]: () => {
      caller.kill();
    },
  };
}
