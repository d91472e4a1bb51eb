/** RabbitMQ (AMQP 0-9-1): a queue is one partition; RabbitMQ sends no more of it than the prefetch, and keeps what is not acknowledged. */
import { randomUUID } from 'node:crypto';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { SwiftletError } from '../../model/errors.ts';
import type { RabbitmqSource as RabbitmqSettings } from '../../model/sources/rabbitmq.ts';
import { Inbox } from './inbox.ts';
import { brokerArn, closeRabbitmq, connectRabbitmq, rabbitmqFault, virtualHostOf } from './rabbitmq-connection.ts';
import { rabbitmqRecord } from './rabbitmq-record.ts';
import type { Message, Source, SourceKind, SourceMeans, Wanted } from './source.ts';

const largestPrefetch = 65_535;

export const sourceKind: SourceKind<RabbitmqSettings> = {
  driver: (settings, means) => ({
    keepsMessages: true,
    dataKey: 'data',
    open: (signal) => openRabbitmq(settings, means, signal),
    eventOf: (messages) => ({
      eventSource: 'aws:rmq',
      eventSourceArn: brokerArn(settings),
      rmqMessagesByQueue: { [`${settings.queue}::${virtualHostOf(settings)}`]: messages.map((message) => message.record()) },
    }),
  }),
};

async function openRabbitmq(settings: RabbitmqSettings, means: SourceMeans, signal: AbortSignal): Promise<Source> {
  signal.throwIfAborted();
  const connection = await connectRabbitmq(settings, means.secret);
  const source = new RabbitmqSource(settings, means, connection);
  const abort = () => void source[Symbol.asyncDispose]();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await source.begin();
    signal.throwIfAborted();
    return source;
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw rabbitmqFault(settings, error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

class RabbitmqSource implements Source {
  readonly dropped = 0;
  readonly #settings: RabbitmqSettings;
  readonly #prefetch: number;
  readonly #connection: ChannelModel;
  readonly #inbox: Inbox;
  /** What RabbitMQ calls the deliveries that are not acknowledged, by message. */
  readonly #deliveries = new Map<string, ConsumeMessage>();
  /** RabbitMQ counts deliveries anew in each channel. */
  readonly #opened = randomUUID();
  #channel: Channel | undefined;

  constructor(settings: RabbitmqSettings, means: SourceMeans, connection: ChannelModel) {
    this.#settings = settings;
    this.#prefetch = Math.min(largestPrefetch, means.most.messages);
    this.#connection = connection;
    this.#inbox = new Inbox(means.most);
    connection.on('error', (error: unknown) => this.#inbox.fail(rabbitmqFault(settings, error)));
    connection.on('close', () => this.#inbox.fail(rabbitmqFault(settings, new Error('the connection ended'))));
  }

  /** Resolves when RabbitMQ sends. */
  async begin(): Promise<void> {
    const { queue } = this.#settings;
    const channel = await this.#connection.createChannel();
    this.#channel = channel;
    channel.on('error', (error: unknown) => this.#inbox.fail(rabbitmqFault(this.#settings, error)));
    channel.on('close', () => this.#inbox.fail(rabbitmqFault(this.#settings, new Error('the channel ended'))));
    await channel.checkQueue(queue);
    await channel.prefetch(this.#prefetch);
    await channel.consume(queue, (delivery) => this.#take(delivery));
  }

  next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]> {
    return this.#inbox.next(wanted, signal);
  }

  /** RabbitMQ does not answer acknowledgements; an answer to what was said after them tells that it has them. */
  async acknowledge(messages: readonly Message[]): Promise<void> {
    this.#inbox.throwIfFailed();
    const channel = this.#channel;
    for (const { id } of this.#inbox.settle(messages)) {
      const delivery = this.#deliveries.get(id);
      this.#deliveries.delete(id);
      if (delivery !== undefined) channel?.ack(delivery);
    }
    await this.#ask((open) => open.prefetch(this.#prefetch));
  }

  giveBack(messages: readonly Message[]): Promise<void> {
    this.#inbox.giveBack(messages);
    return Promise.resolve();
  }

  async lag(): Promise<number> {
    const { messageCount } = await this.#ask((channel) => channel.checkQueue(this.#settings.queue));
    return messageCount + this.#inbox.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeRabbitmq(this.#connection);
  }

  /** @throws SwiftletError when the channel breaks before it answers */
  async #ask<Answer>(what: (channel: Channel) => Promise<Answer>): Promise<Answer> {
    this.#inbox.throwIfFailed();
    if (this.#channel === undefined) throw new Error('it was not begun');
    try {
      return await this.#inbox.unlessFailed(what(this.#channel));
    } catch (error) {
      throw rabbitmqFault(this.#settings, error);
    }
  }

  #take(delivery: ConsumeMessage | null): void {
    if (delivery === null) {
      this.#inbox.fail(
        new SwiftletError('SourceMissing', `the queue "${this.#settings.queue}" was deleted, or its server stopped serving it`),
      );
      return;
    }
    const id = `${this.#opened}-${delivery.fields.deliveryTag}`;
    this.#deliveries.set(id, delivery);
    this.#inbox.push(messageOf(this.#settings, id, delivery));
  }
}

function messageOf({ queue }: RabbitmqSettings, id: string, delivery: ConsumeMessage): Message {
  const { timestamp } = delivery.properties as { readonly timestamp: unknown };
  return {
    id,
    partition: queue,
    key: delivery.fields.routingKey,
    body: delivery.content,
    sentMs: typeof timestamp === 'number' ? timestamp * 1_000 : undefined,
    record: () => rabbitmqRecord(id, delivery),
  };
}
