/**
 * A subject of NATS. The server pushes and keeps nothing: what comes while nobody listens is gone, and so is what comes faster than the
 * function works, once the buffer here is full. Processes with the same consumer share the messages.
 */
import type { Msg } from '@nats-io/transport-node';
import type { SwiftletError } from '../../model/errors.ts';
import type { NatsSource } from '../../model/sources/nats.ts';
import { cut } from './cut.ts';
import { closedNats, closeNats, connectNats, natsFault, type NatsConnection, type Subscription } from './nats-connection.ts';
import { headersOf } from './nats-headers.ts';
import { queueEvent, queueRecord } from './records.ts';
import type { Message, Source, SourceKind, SourceMeans, Wanted } from './source.ts';

export const sourceKind: SourceKind<NatsSource> = {
  driver: (settings, means) => ({
    keepsMessages: false,
    dataKey: 'body',
    eventOf: queueEvent,
    async open(signal) {
      const connection = await connectNats(settings, means.consumer, means.secret, signal);
      try {
        const source = new NatsSubjectSource(connection, settings, means);
        // Once the server has answered, it has the subscription.
        await connection.flush();
        source.demandWhole();
        return source;
      } catch (error) {
        await closeNats(connection);
        throw natsFault(error, settings);
      }
    },
  }),
};

class NatsSubjectSource implements Source {
  readonly #connection: NatsConnection;
  readonly #settings: NatsSource;
  readonly #most: SourceMeans['most'];
  readonly #subscription: Subscription;
  /** What came and was not given out, and what was given back, in the order in which it came. */
  #buffer: Buffered[] = [];
  #bytes = 0;
  #last = 0;
  #dropped = 0;
  #fault: SwiftletError | undefined;
  #wake: () => void = () => undefined;

  constructor(connection: NatsConnection, settings: NatsSource, { most, consumer }: SourceMeans) {
    this.#connection = connection;
    this.#settings = settings;
    this.#most = most;
    this.#subscription = connection.subscribe(settings.subject, {
      queue: consumer,
      callback: (error, message) => {
        if (error === null) this.#receive(message);
        else this.#break(natsFault(error, settings));
      },
    });
    void closedNats(connection, settings).then((fault) => this.#break(fault));
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** @throws SwiftletError when the server has refused the subscription */
  demandWhole(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  async next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]> {
    for (;;) {
      this.demandWhole();
      if (this.#buffer.length > 0 || signal.aborted) return this.#cut(wanted);
      await this.#more(signal);
    }
  }

  acknowledge(): Promise<void> {
    // There is nobody to tell; but who has a broken source is to know it.
    return this.#fault === undefined ? Promise.resolve() : Promise.reject(this.#fault);
  }

  giveBack(messages: readonly Message[]): Promise<void> {
    const back = messages.filter((message) => message instanceof Buffered);
    this.#buffer = [...back, ...this.#buffer].sort((one, other) => one.number - other.number);
    for (const { body } of back) this.#bytes += body.length;
    this.#wake();
    return Promise.resolve();
  }

  lag(): Promise<number | undefined> {
    return Promise.resolve(this.#buffer.length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription.unsubscribe();
    await closeNats(this.#connection);
  }

  #receive(message: Msg): void {
    if (this.#buffer.length >= this.#most.messages || this.#bytes + message.data.length > this.#most.bytes) {
      this.#dropped += 1;
      return;
    }
    this.#last += 1;
    this.#buffer.push(new Buffered(message, this.#last, this.#settings.subject));
    this.#bytes += message.data.length;
    this.#wake();
  }

  #break(fault: SwiftletError): void {
    this.#fault ??= fault;
    this.#wake();
  }

  #cut(wanted: Wanted): Message[] {
    const given = cut(this.#buffer, wanted);
    for (const { body } of given) this.#bytes -= body.length;
    return given;
  }

  /** Resolves when something came or broke, or the signal aborts. */
  #more(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const wake = () => resolve(undefined);
    this.#wake = wake;
    signal.addEventListener('abort', wake, { once: true });
    return promise.finally(() => signal.removeEventListener('abort', wake));
  }
}

/** A message has no identity at the server: it is counted here. */
class Buffered implements Message {
  readonly #message: Msg;
  readonly number: number;
  readonly id: string;
  readonly partition: string;
  readonly sentMs = undefined;

  constructor(message: Msg, number: number, subscribed: string) {
    this.#message = message;
    this.number = number;
    this.id = `${process.pid}-${number}`;
    this.partition = subscribed;
  }

  get key(): string {
    return this.#message.subject;
  }

  get body(): Uint8Array {
    return this.#message.data;
  }

  record(): Record<string, unknown> {
    const { subject, headers } = this.#message;
    return queueRecord({
      messageId: this.id,
      kind: 'nats',
      origin: subject,
      body: this.body,
      sentMs: undefined,
      deliveries: 1,
      key: subject,
      attributes: { Subject: subject },
      headers: headersOf(headers),
    });
  }
}
