/** PostgreSQL's NOTIFY. A channel is a partition. PostgreSQL keeps none that nobody hears; so many wait here, and more are dropped. */
import { randomUUID } from 'node:crypto';
import { Socket } from 'node:net';
import { type Client, escapeIdentifier, type Notification } from 'pg';
import { SwiftletError } from '../../model/errors.ts';
import type { PostgresqlNotifySource as NotifySettings } from '../../model/sources/postgresql.ts';
import { Inbox } from './inbox.ts';
import { connectTo, endedBy, faultOf } from './postgresql-connection.ts';
import { queueEvent, queueRecord } from './records.ts';
import type { Message, Source, SourceKind, SourceMeans, Wanted } from './source.ts';

const pingEveryMs = 5_000;
/** A notification has less than 8,000 bytes. */
const room = { messages: 10_000, bytes: 16 * 1024 * 1024 } as const;

export const sourceKind: SourceKind<NotifySettings> = {
  driver: (settings, means) => ({
    keepsMessages: false,
    dataKey: 'body',
    open: (signal) => openNotify(settings, means, signal),
    eventOf: queueEvent,
  }),
};

async function openNotify(settings: NotifySettings, means: SourceMeans, signal: AbortSignal): Promise<Source> {
  signal.throwIfAborted();
  const socket = new Socket();
  using _ending = endedBy(signal, socket);
  const source = new NotifySource(settings, await connectTo(settings, means, socket), socket);
  try {
    for (const channel of settings.channels) await source.ask(`LISTEN ${escapeIdentifier(channel)}`);
    signal.throwIfAborted();
    return source;
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw faultOf(settings, error);
  }
}

class NotifySource implements Source {
  readonly #settings: NotifySettings;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #inbox = new Inbox(room);
  readonly #ping: NodeJS.Timeout;
  readonly #opened = randomUUID();
  #arrived = 0;
  #dropped = 0;

  constructor(settings: NotifySettings, client: Client, socket: Socket) {
    this.#settings = settings;
    this.#client = client;
    this.#socket = socket;
    client.on('error', (error) => this.#inbox.fail(faultOf(settings, error)));
    client.on('end', () => this.#inbox.fail(faultOf(settings, new Error('the connection ended'))));
    client.on('notification', (notification) => this.#take(notification));
    this.#ping = setInterval(() => void this.ask('SELECT').catch(() => undefined), pingEveryMs);
  }

  get dropped(): number {
    return this.#dropped;
  }

  next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]> {
    return this.#inbox.next(wanted, signal);
  }

  acknowledge(messages: readonly Message[]): Promise<void> {
    return Promise.try(() => {
      this.#inbox.throwIfFailed();
      this.#inbox.settle(messages);
    });
  }

  giveBack(messages: readonly Message[]): Promise<void> {
    this.#inbox.giveBack(messages);
    return Promise.resolve();
  }

  lag(): Promise<number> {
    return Promise.resolve(this.#inbox.size);
  }

  [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#ping);
    this.#inbox.fail(new SwiftletError('SourceUnreachable', 'the source was closed'));
    this.#socket.destroy();
    return Promise.resolve();
  }

  /** @throws SwiftletError when PostgreSQL does not answer in time: the source is broken then */
  async ask(statement: string): Promise<void> {
    try {
      await this.#client.query(statement);
    } catch (error) {
      const fault = faultOf(this.#settings, error);
      this.#inbox.fail(fault);
      throw fault;
    }
  }

  #take(notification: Notification): void {
    if (this.#inbox.isFull) this.#dropped += 1;
    else this.#inbox.push(messageOf(`${this.#opened}-${this.#arrived++}`, notification));
  }
}

function messageOf(id: string, { channel, payload = '', processId }: Notification): Message {
  const body = Buffer.from(payload);
  return {
    id,
    partition: channel,
    key: undefined,
    body,
    sentMs: undefined,
    record: () =>
      queueRecord({
        messageId: id,
        kind: 'postgresql-notify',
        origin: channel,
        body,
        sentMs: undefined,
        deliveries: 1,
        key: undefined,
        attributes: { processId: String(processId) },
        headers: {},
      }),
  };
}
