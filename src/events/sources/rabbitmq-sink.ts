/** Sends to a queue of RabbitMQ, which confirms what it has. */
import type { ConfirmChannel } from 'amqplib';
import { SwiftletError } from '../../model/errors.ts';
import type { RabbitmqQueue } from '../../model/sources/rabbitmq.ts';
import { closeRabbitmq, connectRabbitmq, rabbitmqFault } from './rabbitmq-connection.ts';
import type { Outgoing, Sink, SinkKind } from './sink.ts';

const confirmLimitMs = 5_000;

export const sinkKind: SinkKind<RabbitmqQueue> = {
  async open(settings, { secret }) {
    const connection = await connectRabbitmq(settings, secret);
    // Whoever sends next hears of it.
    connection.on('error', () => undefined);
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => undefined);
      const returned = new Set<unknown>();
      channel.on('return', ({ properties }: { readonly properties: { readonly messageId?: unknown } }) =>
        returned.add(properties.messageId),
      );
      return {
        async send(message) {
          try {
            await confirmed(channel, settings.queue, message);
          } catch (error) {
            throw rabbitmqFault(settings, error);
          }
          // What no queue took comes back before it is confirmed.
          if (returned.delete(message.id)) throw queueMissing(settings);
        },
        [Symbol.asyncDispose]: () => closeRabbitmq(connection),
      } satisfies Sink;
    } catch (error) {
      await closeRabbitmq(connection);
      throw rabbitmqFault(settings, error);
    }
  },
};

/** Resolves when RabbitMQ has written it, or returned it. */
async function confirmed(channel: ConfirmChannel, queue: string, { id, body, contentType }: Outgoing): Promise<void> {
  const answer = Promise.withResolvers<undefined>();
  const late = setTimeout(() => answer.reject(new Error(`it has not confirmed a message after ${confirmLimitMs} ms`)), confirmLimitMs);
  try {
    channel.publish('', queue, Buffer.from(body), { mandatory: true, persistent: true, messageId: id, contentType }, (error: unknown) => {
      if (error === null || error === undefined) answer.resolve(undefined);
      else answer.reject(error instanceof Error ? error : new Error('it refuses a message'));
    });
    await answer.promise;
  } finally {
    clearTimeout(late);
  }
}

const queueMissing = ({ address, queue }: RabbitmqQueue): SwiftletError =>
  new SwiftletError('SourceMissing', `the queue "${queue}" is not there at ${address}; declare it`);
