/** Another function on the same host, asked by a process of its own all the while. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { packModule } from './bench-functions.ts';
import type { BenchPlatform } from './platform.ts';

const answersSchema = z.object({
  /** Milliseconds of each right answer. */
  tookMs: z.array(z.number()),
  /** What came instead of the right answer. */
  wrong: z.array(z.string()),
});
export type BystanderAnswers = z.infer<typeof answersSchema>;

export interface Bystander extends Disposable {
  /** @returns all answers since the last time */
  take(): Promise<BystanderAnswers>;
}

/** It answers at once, unless it is gone. */
const takeLimitMs = 10_000;

/** @param platform or one tenant's part of it */
export async function openBystander(platform: Pick<BenchPlatform, 'api' | 'gatewayUrl'>): Promise<Bystander> {
  const config = { concurrency: 10, idleMs: 3_600_000 };
  await platform.api.deploy('bystander', await packModule("export const handler = () => 'fine';\n"), config);
  const url = `${platform.gatewayUrl}/bystander/`;
  // In a session of its own, since the kernel shares the processors out by session.
  const caller = fork(fileURLToPath(new URL('./bystander-caller.ts', import.meta.url)), [url, '"fine"'], { detached: true });
  return {
    async take() {
      caller.send('take');
      const [answers] = (await once(caller, 'message', { signal: AbortSignal.timeout(takeLimitMs) })) as unknown[];
      return answersSchema.parse(answers);
    },
    [Symbol.dispose]: () => {
      caller.kill();
    },
  };
}
