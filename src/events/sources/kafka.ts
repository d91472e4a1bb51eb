/** Kafka: partitions are partitions; a consumer group of one member keeps the place in each. */
import { type CommitOptionsPartition, Consumer, type MessagesStream } from '@platformatic/kafka';
import { SwiftletError } from '../../model/errors.ts';
import type { KafkaSource as KafkaSettings } from '../../model/sources/kafka.ts';
import { errorText, sourceFault } from './fault.ts';
import { Inbox } from './inbox.ts';
import { idOfItem, kafkaEvent, messageOf, type RawMessage } from './kafka-record.ts';
import { placesToCommit, timestampOf } from './kafka-start.ts';
import { SettledPrefix } from './settled-prefix.ts';
import { loginOf } from './login.ts';
import { within } from './within.ts';
import type { Message, Source, SourceKind, SourceMeans, Wanted } from './source.ts';

const answerLimitMs = 5_000;
const closeLimitMs = 3_000;
/** How long Kafka holds a question for messages before it says that there are none. */
const waitMs = 1_000;
const againMs = 200;
const sessionMs = 10_000;
const heartbeatMs = 3_000;
/** Of one answer; a message alone may be larger. */
const answerBytes = 1024 * 1024;

export const sourceKind: SourceKind<KafkaSettings> = {
  driver: (settings, means) => ({
    keepsMessages: true,
    dataKey: 'value',
    open: (signal) => openKafka(settings, means, signal),
    eventOf: (messages) => kafkaEvent(settings.servers, messages),
    idOfItem,
  }),
};

type Stream = MessagesStream<Buffer, Buffer, Buffer, Buffer>;

async function openKafka(settings: KafkaSettings, means: SourceMeans, signal: AbortSignal): Promise<Source> {
  signal.throwIfAborted();
  const source = new KafkaSource(settings, means);
  const abort = () => void source[Symbol.asyncDispose]();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await source.begin();
    signal.throwIfAborted();
    return source;
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw faultOf(settings, error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function consumerOf(settings: KafkaSettings, means: SourceMeans): Consumer {
  const { servers, tls, mechanism } = settings;
  const login = loginOf(settings, means.secret);
  return new Consumer({
    clientId: 'swiftlet',
    groupId: means.consumer,
    // A member that comes back as itself need not wait until its former life is given up.
    groupInstanceId: 'swiftlet',
    bootstrapBrokers: [...servers],
    ...(tls ? { tls: {} } : {}),
    ...(login === undefined ? {} : { sasl: { mechanism, username: login.user, password: login.password ?? '' } }),
    connectTimeout: answerLimitMs,
    timeout: answerLimitMs,
    // A group’s coordinator, a new topic and a new leader take their time to be known.
    retries: 5,
    retryDelay: againMs,
    autocommit: false,
    sessionTimeout: sessionMs,
    rebalanceTimeout: sessionMs,
    heartbeatInterval: heartbeatMs,
  });
}

class KafkaSource implements Source {
  readonly dropped = 0;
  readonly #settings: KafkaSettings;
  readonly #means: SourceMeans;
  readonly #consumer: Consumer;
  readonly #inbox: Inbox;
  /** By partition; a place is the offset behind a message. */
  readonly #unsettled = new Map<number, SettledPrefix<bigint>>();
  readonly #partitionOf = new Map<string, number>();
  /** By partition: the offset behind the last message that came. */
  readonly #came = new Map<number, bigint>();
  #stream: Stream | undefined;
  #reading: Promise<void> | undefined;

  constructor(settings: KafkaSettings, means: SourceMeans) {
    this.#settings = settings;
    this.#means = means;
    this.#consumer = consumerOf(settings, means);
    this.#inbox = new Inbox(means.most);
    this.#consumer.on('consumer:heartbeat:error', ({ error }) => this.#inbox.fail(faultOf(settings, error)));
    this.#consumer.on('client:broker:disconnect', () => this.#inbox.fail(faultOf(settings, new Error('the connection ended'))));
  }

  /** Resolves when the group has its places, and messages come. */
  async begin(): Promise<void> {
    const { topic } = this.#settings;
    const { topics } = await this.#consumer.metadata({ topics: [topic] });
    const partitions = topics.get(topic)?.partitionsCount ?? 0;
    if (partitions === 0) throw new SwiftletError('SourceMissing', `there is no topic "${topic}" at ${this.#settings.servers.join(', ')}`);
    this.#consumer.topics.track(topic);
    await this.#consumer.joinGroup();
    await this.#commitPlaces(partitions);
    const stream = await this.#consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
      maxBytes: answerBytes,
      maxWaitTime: waitMs,
      highWaterMark: 1,
    });
    this.#stream = stream;
    this.#reading = this.#read(stream);
  }

  next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]> {
    return this.#inbox.next(wanted, signal);
  }

  async acknowledge(messages: readonly Message[]): Promise<void> {
    this.#inbox.throwIfFailed();
    const settled = Map.groupBy(this.#inbox.settle(messages), ({ id }) => this.#partitionOf.get(id));
    const offsets: CommitOptionsPartition[] = [];
    for (const [partition, ofPartition] of settled) {
      if (partition === undefined) continue;
      for (const { id } of ofPartition) this.#partitionOf.delete(id);
      const offset = this.#unsettled
        .get(partition)
        ?.settle(ofPartition.map(({ id }) => id))
        .at(-1);
      if (offset !== undefined) offsets.push(this.#place(partition, offset));
    }
    if (offsets.length > 0) await this.#ask(this.#consumer.commit({ offsets }));
  }

  giveBack(messages: readonly Message[]): Promise<void> {
    this.#inbox.giveBack(messages);
    return Promise.resolve();
  }

  async lag(): Promise<number> {
    const { topic } = this.#settings;
    const ends = await this.#ask(this.#consumer.listOffsets({ topics: [topic] }));
    const behind = (ends.get(topic) ?? []).map((end, partition) => end - (this.#came.get(partition) ?? end));
    return Number(behind.reduce((sum, one) => sum + one, 0n)) + this.#inbox.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#inbox.fail(new SwiftletError('SourceUnreachable', 'the source was closed'));
    await within(closeLimitMs, Promise.all([this.#consumer.close(true), this.#reading]));
    this.#stream?.destroy();
  }

  async #commitPlaces(partitions: number): Promise<void> {
    const { topic } = this.#settings;
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const [committed, begin, end] = await Promise.all([
      this.#consumer.listCommittedOffsets({ topics: [{ topic, partitions: all }] }),
      this.#consumer.listOffsets({ topics: [topic], timestamp: timestampOf(this.#means.start) }),
      this.#consumer.listOffsets({ topics: [topic] }),
    ]);
    const known = committed.get(topic) ?? [];
    const places = placesToCommit(known, begin.get(topic) ?? [], end.get(topic) ?? []);
    for (const [partition, offset] of known.entries()) if (offset >= 0n) this.#came.set(partition, offset);
    for (const { partition, offset } of places) this.#came.set(partition, offset);
    if (places.length > 0) await this.#consumer.commit({ offsets: places.map(({ partition, offset }) => this.#place(partition, offset)) });
  }

  /** Reads on as long as there is room, and until the stream ends. */
  async #read(stream: Stream): Promise<void> {
    try {
      for await (const raw of stream) {
        this.#take(raw);
        await this.#inbox.room();
      }
      throw new Error('the stream of messages ended');
    } catch (error) {
      this.#inbox.fail(faultOf(this.#settings, error));
    }
  }

  #take(raw: RawMessage): void {
    // When the group is joined anew the library begins again at the committed offset.
    if (raw.offset < (this.#came.get(raw.partition) ?? 0n)) return;
    const message = messageOf(raw);
    const unsettled = this.#unsettled.get(raw.partition) ?? new SettledPrefix<bigint>();
    this.#unsettled.set(raw.partition, unsettled);
    unsettled.add(message.id, raw.offset + 1n);
    this.#partitionOf.set(message.id, raw.partition);
    this.#came.set(raw.partition, raw.offset + 1n);
    this.#inbox.push(message);
  }

  #place(partition: number, offset: bigint): CommitOptionsPartition {
    return { topic: this.#settings.topic, partition, offset, leaderEpoch: -1 };
  }

  async #ask<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await this.#inbox.unlessFailed(answer);
    } catch (error) {
      throw faultOf(this.#settings, error);
    }
  }
}

function faultOf({ servers, topic }: KafkaSettings, error: unknown): SwiftletError {
  if (error instanceof SwiftletError) return error;
  const at = `Kafka at ${servers.join(', ')}`;
  const text = everyText(error);
  if (/sasl|authenticat|authoriz/i.test(text)) return sourceFault('SourceRefused', `${at} refuses Swiftlet`, new Error(text));
  if (/unknown topic|does not host this topic/i.test(text)) return sourceFault('SourceMissing', `the topic "${topic}"`, new Error(text));
  return sourceFault('SourceUnreachable', `${at} cannot be reached`, new Error(text));
}

/** The library wraps errors in errors. */
function everyText(error: unknown): string {
  const inner = error instanceof AggregateError ? (error.errors as unknown[]).map(everyText) : [];
  const cause = error instanceof Error && error.cause !== undefined ? [everyText(error.cause)] : [];
  return [...new Set([errorText(error), ...inner, ...cause])].join(': ');
}
