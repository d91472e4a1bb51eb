/** First requests without a pause, each of another function: from a process of its own, as every load is. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const answersSchema = z.object({
  /** When each right answer came, in milliseconds since the first request, and how long it took. */
  answers: z.array(z.object({ atMs: z.number(), tookMs: z.number() })),
  /** What came instead of the right answer. */
  wrong: z.array(z.string()),
  /** From the first request to the last answer. */
  lastedMs: z.number(),
  /** Processor time of the process that asked. */
  cpuMs: z.number(),
});
export type ColdStreamAnswers = z.infer<typeof answersSchema>;

const orderSchema = z.object({
  gatewayUrl: z.string(),
  /** Functions of `deployUnique`, from number 1 on. */
  functions: z.int(),
  /** Requests under way at any time. */
  lanes: z.int(),
  /** After that no other is sent. */
  forMs: z.number(),
});
export type ColdStreamOrder = z.infer<typeof orderSchema>;

export const parseOrder = (text: string): ColdStreamOrder => orderSchema.parse(JSON.parse(text));

/** Asks one function after the other, until all were asked or the time is over. @returns what came of it */
export async function streamColdRequests(order: ColdStreamOrder, signal: AbortSignal): Promise<ColdStreamAnswers> {
  // In a session of its own, since the kernel shares the processors out by session.
  const caller = fork(fileURLToPath(new URL('./cold-stream-caller.ts', import.meta.url)), [JSON.stringify(order)], { detached: true });
  try {
    const [answers] = (await once(caller, 'message', { signal })) as unknown[];
    return answersSchema.parse(answers);
  } finally {
    caller.kill();
  }
}
