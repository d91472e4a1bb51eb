/**
 * A stream of NATS JetStream, by a durable pull consumer: the server gives out what is asked for, keeps what is out, and gives it out
 * again when it hears nothing for a while. What is being worked on is therefore told of again and again.
 */
import { type Consumer, jetstream, jetstreamManager, type JsMsg } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import type { JetStreamSource } from '../../model/sources/nats.ts';
import { cut } from './cut.ts';
import { ackWaitMs, demandConsumer } from './jetstream-consumer.ts';
import { jetStreamFault } from './jetstream-fault.ts';
import { StreamMessage } from './jetstream-message.ts';
import { closeNats, connectNats, natsFault, type NatsConnection } from './nats-connection.ts';
import { patience } from './patience.ts';
import { queueEvent } from './records.ts';
import type { Message, Source, SourceKind, Wanted } from './source.ts';

/** The server hears this often of what is being worked on. */
const tellEveryMs = 3_000;
/** How late the server may be when it gives out again what nobody told it of. */
const slackMs = 1_000;
/** One request for a message waits so long at the server. */
const requestMs = 30_000;
/** Those that are there already come at once, unless another process took them. */
const restMs = 1_000;
const callLimitMs = 5_000;

export const sourceKind: SourceKind<JetStreamSource> = {
  driver: (settings, means) => ({
    keepsMessages: true,
    dataKey: 'body',
    eventOf: queueEvent,
    async open(signal) {
      const connection = await connectNats(settings, means.consumer, means.secret, signal);
      try {
        const manager = await jetstreamManager(connection, { timeout: callLimitMs });
        const { num_ack_pending: left } = await demandConsumer(manager, settings, means);
        const consumer = await jetstream(connection).consumers.get(settings.stream, means.consumer);
        const waitMs = means.isOrdered === true && left > 0 ? ackWaitMs + slackMs : 0;
        return new JetStreamPullSource(connection, settings, consumer, waitMs);
      } catch (error) {
        await closeNats(connection);
        throw jetStreamFault(error, settings);
      }
    },
  }),
};

class JetStreamPullSource implements Source {
  readonly dropped = 0;
  readonly #connection: NatsConnection;
  readonly #settings: JetStreamSource;
  readonly #consumer: Consumer;
  /** Given out and not settled. */
  readonly #out = new Map<string, StreamMessage>();
  /** What came and was not given out yet, since who asked for it gave up. */
  #ready: StreamMessage[] = [];
  #asking: Promise<void> | undefined;
  /** Before it nothing is asked for: the server has to notice first what came to nobody, which it gives out before what is new then. */
  readonly #notBeforeMs: number;
  readonly #telling: NodeJS.Timeout;

  constructor(connection: NatsConnection, settings: JetStreamSource, consumer: Consumer, waitMs: number) {
    this.#connection = connection;
    this.#settings = settings;
    this.#consumer = consumer;
    this.#notBeforeMs = performance.now() + waitMs;
    this.#telling = setInterval(() => this.#tell(), tellEveryMs);
  }

  async next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]> {
    const waitMs = this.#notBeforeMs - performance.now();
    if (waitMs > 0) await patience(waitMs, signal);
    while (this.#ready.length === 0 && !signal.aborted) {
      this.#asking ??= this.#ask(wanted).finally(() => (this.#asking = undefined));
      await abortable(this.#asking, signal);
      this.#demandOpen();
    }
    return this.#give(wanted);
  }

  async acknowledge(messages: readonly Message[]): Promise<void> {
    this.#demandOpen();
    const settled = await Promise.allSettled(
      this.#oursOf(messages).map(async ({ id, raw }) => {
        await raw.ackAck({ timeout: callLimitMs });
        this.#out.delete(id);
      }),
    );
    const failed = settled.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw jetStreamFault(failed.reason, this.#settings);
  }

  giveBack(messages: readonly Message[]): Promise<void> {
    if (this.#connection.isClosed()) return Promise.resolve();
    for (const message of this.#oursOf(messages)) {
      message.raw.nak();
      this.#out.delete(message.id);
    }
    return this.#connection.flush().catch(() => undefined);
  }

  async lag(): Promise<number | undefined> {
    this.#demandOpen();
    try {
      return (await this.#consumer.info()).num_pending + this.#ready.length;
    } catch (error) {
      throw jetStreamFault(error, this.#settings);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#telling);
    if (!this.#connection.isClosed()) for (const { raw } of [...this.#out.values(), ...this.#ready]) raw.nak();
    await closeNats(this.#connection);
    await this.#asking?.catch(() => undefined);
  }

  /** Waits for one message, and takes those that are behind it: the server says with each how many are left. */
  async #ask({ messages, bytes }: Wanted): Promise<void> {
    try {
      const first = await this.#consumer.next({ expires: requestMs });
      if (first === null) return;
      this.#receive(first);
      const { length } = first.data;
      const more = Math.min(messages - 1, first.info.pending, Math.floor((bytes - length) / Math.max(1, length)));
      if (more < 1) return;
      for await (const message of await this.#consumer.fetch({ max_messages: more, expires: restMs })) this.#receive(message);
    } catch (error) {
      throw jetStreamFault(error, this.#settings);
    }
  }

  #receive(raw: JsMsg): void {
    this.#ready.push(new StreamMessage(raw, this.#settings.stream));
  }

  #give(wanted: Wanted): Message[] {
    const given = cut(this.#ready, wanted);
    for (const message of given) this.#out.set(message.id, message);
    return given;
  }

  /** Tells the server that what is here is being worked on. */
  #tell(): void {
    if (this.#connection.isClosed()) return;
    for (const { raw } of [...this.#out.values(), ...this.#ready]) raw.working();
  }

  #oursOf(messages: readonly Message[]): StreamMessage[] {
    return messages.filter((message) => message instanceof StreamMessage);
  }

  #demandOpen(): void {
    if (this.#connection.isClosed()) throw natsFault(new errors.ClosedConnectionError(), this.#settings);
  }
}

/** Resolves as soon as the work does or the signal aborts. */
async function abortable(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const stop = () => resolve(undefined);
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
