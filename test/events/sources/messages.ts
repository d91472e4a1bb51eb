/** Messages for tests of what is decided about them. */
import type { Waiting } from '../../../src/events/sources/batch.ts';
import type { Message } from '../../../src/events/sources/source.ts';

export const messageOf = (id: string, change: Partial<Message> = {}): Message => ({
  id,
  partition: 'p',
  key: undefined,
  body: Buffer.from(`body of ${id}`),
  sentMs: 1_000,
  record: () => ({ messageId: id }),
  ...change,
});

export const waitingOf = (id: string, change: Partial<Waiting> & { readonly key?: string; readonly bytes?: number } = {}): Waiting => {
  const { key, bytes, ...waiting } = change;
  const message = messageOf(id, { key, ...(bytes === undefined ? {} : { body: Buffer.alloc(bytes) }) });
  return { message, attempts: 0, sinceMs: 0, dueMs: 0, isAlone: false, ...waiting };
};

export const idsOf = (messages: readonly (Message | Waiting)[]): string =>
  messages.map((one) => ('message' in one ? one.message.id : one.id)).join(' ');
