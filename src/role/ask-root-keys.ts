/** Control's line to the supervisor, over the channel that a parent and its child have to themselves. */
import { z } from 'zod';
import { isErrorCode, SwiftletError } from '../model/errors.ts';
import { type KeyRing, ringMessageSchema, ringOf, type RootKeys } from './root-keys.ts';

/** Role → supervisor. */
export const keyQuestionSchema = z.object({ news: z.literal('root keys'), id: z.int(), wanted: z.enum(['read', 'add', 'drop old']) });
export type KeyQuestion = z.output<typeof keyQuestionSchema>;

/** Supervisor → role. */
export const keyAnswerSchema = z.object({
  order: z.literal('root keys'),
  id: z.int(),
  ring: ringMessageSchema.optional(),
  failure: z.object({ code: z.string(), message: z.string() }).optional(),
});
export type KeyAnswer = z.output<typeof keyAnswerSchema>;

/** A command that brings the keys from elsewhere takes its time. */
const answerLimitMs = 20_000;

/** What this needs of a process; `process` is one. */
export interface ParentLine {
  send?(message: KeyQuestion): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  off(event: 'message', listener: (message: unknown) => void): unknown;
}

/** Asks the supervisor whenever keys are wanted: nothing of them stays here. */
export function askRootKeys(line: ParentLine): RootKeys {
  let last = 0;
  const ask = (wanted: KeyQuestion['wanted']): Promise<KeyAnswer> => {
    const id = ++last;
    const { promise, resolve, reject } = Promise.withResolvers<KeyAnswer>();
    const take = (message: unknown) => {
      const answer = keyAnswerSchema.safeParse(message);
      if (answer.success && answer.data.id === id) resolve(answer.data);
    };
    const late = setTimeout(
      () => reject(new SwiftletError('Unavailable', `the supervisor gave no root key within ${answerLimitMs} ms`)),
      answerLimitMs,
    );
    line.on('message', take);
    line.send?.({ news: 'root keys', id, wanted });
    return promise.finally(() => {
      clearTimeout(late);
      line.off('message', take);
    });
  };
  const ringFrom = async (wanted: 'read' | 'add'): Promise<KeyRing> => {
    const { ring, failure } = await ask(wanted);
    if (ring !== undefined) return ringOf(ring);
    throw failureOf(failure);
  };
  return {
    read: () => ringFrom('read'),
    add: () => ringFrom('add'),
    async dropOld() {
      const { failure } = await ask('drop old');
      if (failure !== undefined) throw failureOf(failure);
    },
  };
}

const failureOf = (failure: KeyAnswer['failure']): SwiftletError =>
  new SwiftletError(isErrorCode(failure?.code) ? failure.code : 'Internal', failure?.message ?? 'the supervisor has no root key');
