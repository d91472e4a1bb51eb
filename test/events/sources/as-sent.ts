/** For kinds whose messages tell of what was sent, and are not it: drivers whose messages have the bytes that a test sent. */
import type { Message, Source, SourceDriver } from '../../../src/events/sources/source.ts';

export const asSent = (driver: SourceDriver, bodyOf: (message: Message) => Uint8Array): SourceDriver => ({
  ...driver,
  open: async (signal) => {
    const source = await driver.open(signal);
    const told = new Map<string, Message>();
    const original = (messages: readonly Message[]) => messages.map((message) => told.get(message.id) ?? message);
    return {
      async next(wanted, until) {
        const messages = await source.next(wanted, until);
        for (const message of messages) told.set(message.id, message);
        return messages.map((message) => ({ ...message, body: bodyOf(message) }));
      },
      acknowledge: (messages) => source.acknowledge(original(messages)),
      giveBack: (messages) => source.giveBack(original(messages)),
      lag: () => source.lag(),
      get dropped() {
        return source.dropped;
      },
      [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
    } satisfies Source;
  },
});
