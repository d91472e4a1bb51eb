/** A journal on NATS JetStream: one message a transaction in a stream of its own, and snapshots in another. */
import { open } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import {
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamClient,
  type JetStreamManager,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  type JsMsg,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { SwiftletError } from '../model/errors.ts';
import { type Entry, type Journal, Outrun, type Snapshot } from './journal.ts';
import { PartJoiner, partsOf } from './journal-parts.ts';

const answerLimitMs = 5_000;
const connectLimitMs = 5_000;
const reconnectEveryMs = 500;
/** What a message has beside its payload. */
const headRoomBytes = 1024;
const snapshotPartBytes = 512 * 1024;
/** Codes of the server's API. */
const wrongLastSequence = [10_071, 10_164];
const noRoom = [10_023, 10_047, 10_077];
const noStream = 10_059;

export interface NatsJournalOptions {
  /** `nats://user:password@host:port`, or `tls://…`; several are joined by commas. */
  readonly servers: string;
  /** The stream's name. */
  readonly stream: string;
  /** Copies of the stream, each on a server of its own. Of a stream that is there already it stays as it is. */
  readonly replicas: number;
}

/** @throws SwiftletError Unavailable that says what is wrong when the server cannot be used */
export async function openNatsJournal(options: NatsJournalOptions): Promise<Journal> {
  const { stream, replicas } = options;
  const connection = await connectTo(options);
  try {
    const manager = await jetstreamManager(connection, { timeout: answerLimitMs });
    const base = { storage: StorageType.File, retention: RetentionPolicy.Limits, discard: DiscardPolicy.New, num_replicas: replicas };
    const created = await madeStream(manager, { ...base, name: stream, subjects: [stream] });
    await madeStream(manager, { ...base, name: snapshotsOf(stream), subjects: [snapshotsOf(stream)] });
    return new NatsJournal(connection, manager, stream, created);
  } catch (error) {
    await connection.close();
    throw unusable(options, error);
  }
}

async function connectTo(options: NatsJournalOptions): Promise<NatsConnection> {
  try {
    const { servers, user, pass } = partsOfUrl(options.servers);
    return await connect({
      servers,
      ...(user === undefined ? {} : { user, pass: pass ?? '' }),
      name: 'swiftlet events',
      timeout: connectLimitMs,
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectEveryMs,
    });
  } catch (error) {
    throw unusable(options, error);
  }
}

/** @returns when the stream was made, which tells it from one that had its name before */
async function madeStream(manager: JetStreamManager, config: Parameters<JetStreamManager['streams']['add']>[0]): Promise<string> {
  try {
    return (await manager.streams.info(config.name)).created;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== noStream) throw error;
    return (await manager.streams.add(config)).created;
  }
}

const snapshotsOf = (stream: string): string => `${stream}-snapshots`;

class NatsJournal implements Journal {
  readonly id: string;
  readonly #connection: NatsConnection;
  readonly #manager: JetStreamManager;
  readonly #client: JetStreamClient;
  readonly #stream: string;
  /** While it is not, what is asked would wait for nothing. */
  #isConnected = true;

  constructor(connection: NatsConnection, manager: JetStreamManager, stream: string, created: string) {
    this.#connection = connection;
    this.#manager = manager;
    this.#client = jetstream(connection, { timeout: answerLimitMs });
    this.#stream = stream;
    void this.#watch();
    this.id = `${stream} ${created}`;
  }

  async append(changes: Uint8Array, after: number): Promise<number> {
    const limit = (this.#connection.info?.max_payload ?? snapshotPartBytes) - headRoomBytes;
    let last = after;
    this.#demandConnection();
    try {
      for (const part of partsOf(changes, limit)) {
        const { seq } = await this.#client.publish(this.#stream, part, { expect: { lastSequence: last }, retries: 0 });
        last = seq;
      }
      return last;
    } catch (error) {
      throw appendError(error, last === after);
    }
  }

  async *read(after: number): AsyncIterable<Entry> {
    this.#demandConnection();
    const { state } = await this.#manager.streams.info(this.#stream);
    if (state.first_seq > after + 1 && state.last_seq > after)
      throw new Error(
        `the stream ${this.#stream} begins at ${state.first_seq}, and what comes after ${after} is needed; its snapshot is missing`,
      );
    const joiner = new PartJoiner();
    for await (const { seq, data } of this.#messages(this.#stream, after + 1, state.last_seq)) {
      const changes = joiner.add(data);
      if (changes !== undefined) yield { seq, changes };
    }
  }

  async restore(path: string): Promise<number | undefined> {
    const name = snapshotsOf(this.#stream);
    const { state } = await this.#manager.streams.info(name);
    const first = await this.#lastSnapshot(name, state.first_seq, state.last_seq);
    if (first === undefined) return undefined;
    const file = createWriteStream(path);
    let place = 0;
    for await (const { data } of this.#messages(name, first, state.last_seq)) {
      const { head, bytes } = readPart(data);
      place = head.place;
      file.write(bytes);
    }
    file.end();
    await finished(file);
    return place;
  }

  /** The last part comes last: without it the snapshot before counts, which is let go of only then. */
  async keep({ path, seq: place }: Snapshot): Promise<void> {
    const name = snapshotsOf(this.#stream);
    await using file = await open(path);
    const { size } = await file.stat();
    let first: number | undefined;
    for (let at = 0; at < size; at += snapshotPartBytes) {
      const bytes = Buffer.alloc(Math.min(snapshotPartBytes, size - at));
      await file.read(bytes, 0, bytes.length, at);
      const isLast = at + snapshotPartBytes >= size;
      const { seq } = await this.#client.publish(name, partOf({ place, isFirst: at === 0, isLast }, bytes));
      first ??= seq;
    }
    if (first !== undefined) await this.#manager.streams.purge(name, { seq: first });
    await this.#manager.streams.purge(this.#stream, { seq: place + 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close();
  }

  /** Ends with the connection. */
  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'disconnect') this.#isConnected = false;
      else if (type === 'reconnect') this.#isConnected = true;
    }
  }

  /** @throws SwiftletError Unavailable */
  #demandConnection(): void {
    if (!this.#isConnected)
      throw new SwiftletError('Unavailable', 'NATS did not store it: there is no connection to it; it is tried again');
  }

  /** Where the newest whole snapshot begins. There are two at most: a whole one, and one that was being kept. */
  async #lastSnapshot(name: string, from: number, to: number): Promise<number | undefined> {
    let begun: number | undefined;
    let whole: number | undefined;
    for await (const { seq, data } of this.#messages(name, from, to)) {
      const { head } = readPart(data);
      if (head.isFirst) begun = seq;
      if (head.isLast) whole = begun;
    }
    return whole;
  }

  async *#messages(stream: string, from: number, to: number): AsyncIterable<JsMsg> {
    // Of an empty stream both are 0.
    if (from > to || to === 0) return;
    const consumer = await this.#client.consumers.get(stream, { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: from });
    const messages = await consumer.consume({ max_messages: 64 });
    for await (const message of messages) {
      yield message;
      if (message.seq >= to) return;
    }
    throw new SwiftletError('Unavailable', `the stream ${stream} could not be read to its end`);
  }
}

interface PartHead {
  /** The place in the journal that the snapshot is of. */
  readonly place: number;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

const headBytes = 9;

function partOf({ place, isFirst, isLast }: PartHead, bytes: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeBigUInt64BE(BigInt(place));
  head.writeUInt8((isFirst ? 1 : 0) | (isLast ? 2 : 0), headBytes - 1);
  return Buffer.concat([head, bytes]);
}

function readPart(data: Uint8Array): { head: PartHead; bytes: Uint8Array } {
  const head = Buffer.from(data.buffer, data.byteOffset, headBytes);
  const mark = head.readUInt8(headBytes - 1);
  return {
    head: { place: Number(head.readBigUInt64BE()), isFirst: (mark & 1) !== 0, isLast: (mark & 2) !== 0 },
    bytes: data.subarray(headBytes),
  };
}

/** @param isFirst whether nothing of the transaction was appended before */
function appendError(error: unknown, isFirst: boolean): Error {
  const code = error instanceof JetStreamApiError ? error.code : 0;
  if (isFirst && wrongLastSequence.includes(code)) return new Outrun('another writer came first', { cause: error });
  if (noRoom.includes(code))
    return new SwiftletError('StorageFull', `NATS has no room for more events: ${messageOf(error)}`, { cause: error });
  return new SwiftletError('Unavailable', `NATS did not store it: ${messageOf(error)}`, { cause: error });
}

/** The address is told without what opens it. */
const unusable = ({ servers }: NatsJournalOptions, error: unknown): SwiftletError =>
  error instanceof SwiftletError
    ? error
    : new SwiftletError(
        'Unavailable',
        `the event log on NATS at ${partsOfUrl(servers).servers.join(',')} cannot be used: ${messageOf(error)}`,
        { cause: error },
      );

function partsOfUrl(text: string): { servers: string[]; user: string | undefined; pass: string | undefined } {
  const urls = text.split(',').map((one) => new URL(one));
  const [first] = urls;
  return {
    servers: urls.map(({ protocol, host }) => `${protocol}//${host}`),
    user: first === undefined || first.username === '' ? undefined : decodeURIComponent(first.username),
    pass: first === undefined || first.password === '' ? undefined : decodeURIComponent(first.password),
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
