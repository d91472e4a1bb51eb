/** Redis Streams: a stream is one partition, and a consumer group of one consumer keeps what was given out and not acknowledged. */
import { setTimeout } from 'node:timers/promises';
import { SwiftletError } from '../../model/errors.ts';
import type { RedisSource as RedisSettings } from '../../model/sources/redis.ts';
import { errorText } from './fault.ts';
import { Inbox } from './inbox.ts';
import { queueEvent } from './records.ts';
import { type RedisConnection, redisConnection, redisFault } from './redis-connection.ts';
import { entriesOf, groupStartOf, listOf, messageOf, numberOf, pairsOf, textOf } from './redis-entry.ts';
import type { Message, Source, SourceKind, SourceMeans, Wanted } from './source.ts';

const waitMs = 5_000;
/** Entries are asked for by number, for Redis knows no limit in bytes: one that was not seen yet is taken to be so large. */
const presumedBytes = 16 * 1024;
const newEntries = '>';
const againMs = 5;

export const sourceKind: SourceKind<RedisSettings> = {
  driver: (settings, means) => ({
    keepsMessages: true,
    dataKey: 'body',
    open: (signal) => openRedis(settings, means, signal),
    eventOf: queueEvent,
  }),
};

async function openRedis(settings: RedisSettings, means: SourceMeans, signal: AbortSignal): Promise<Source> {
  const source = new RedisSource(settings, means);
  const close = () => void source[Symbol.asyncDispose]();
  try {
    signal.throwIfAborted();
    signal.addEventListener('abort', close, { once: true });
    await source.begin();
    signal.throwIfAborted();
    return source;
  } catch (error) {
    close();
    throw redisFault(settings, error);
  } finally {
    signal.removeEventListener('abort', close);
  }
}

class RedisSource implements Source {
  readonly dropped = 0;
  readonly #settings: RedisSettings;
  readonly #means: SourceMeans;
  /** One asks, and is held up by that; the other tells. */
  readonly #asks: RedisConnection;
  readonly #tells: RedisConnection;
  readonly #inbox: Inbox;
  /** Behind which of the entries that the group has given to this consumer before there may be more; undefined: behind none. */
  #before: string | undefined = '0';
  #largestBytes = presumedBytes;
  #askerId = '';
  #asking: Promise<void> | undefined;

  constructor(settings: RedisSettings, means: SourceMeans) {
    this.#settings = settings;
    this.#means = means;
    this.#asks = redisConnection(settings, means.secret);
    this.#tells = redisConnection(settings, means.secret);
    this.#inbox = new Inbox(means.most);
    for (const connection of [this.#asks, this.#tells])
      connection.on('error', (error: unknown) => this.#inbox.fail(redisFault(settings, error)));
  }

  /** Connects, and makes the group. */
  async begin(): Promise<void> {
    await Promise.all([this.#asks.connect(), this.#tells.connect()]);
    this.#askerId = textOf(await this.#asks.sendCommand(['CLIENT', 'ID']));
    const { stream } = this.#settings;
    const known = (await this.#tell('EXISTS', stream)) === 0 ? undefined : pairsOf(await this.#tell('XINFO', 'STREAM', stream));
    const { id, entriesRead } = groupStartOf(this.#means.start, known);
    const reading = entriesRead === undefined ? [] : ['ENTRIESREAD', String(entriesRead)];
    try {
      await this.#tell('XGROUP', 'CREATE', stream, this.#means.consumer, id, 'MKSTREAM', ...reading);
    } catch (error) {
      if (!errorText(error).startsWith('BUSYGROUP')) throw error;
    }
  }

  async next(wanted: Wanted, signal: AbortSignal): Promise<readonly Message[]> {
    for (;;) {
      const taken = this.#inbox.take(wanted);
      if (taken.length > 0 || signal.aborted) return taken;
      if (wanted.except.has(this.#settings.stream)) return this.#inbox.next(wanted, signal);
      await this.#askUntil(wanted, signal);
    }
  }

  async acknowledge(messages: readonly Message[]): Promise<void> {
    const ids = this.#inbox.settle(messages).map(({ id }) => id);
    if (ids.length === 0) return;
    try {
      await this.#tell('XACK', this.#settings.stream, this.#means.consumer, ...ids);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  giveBack(messages: readonly Message[]): Promise<void> {
    this.#inbox.giveBack(messages);
    return Promise.resolve();
  }

  async lag(): Promise<number | undefined> {
    try {
      const groups = listOf(await this.#tell('XINFO', 'GROUPS', this.#settings.stream)).map(pairsOf);
      const group = groups.find((found) => textOf(found.get('name')) === this.#means.consumer);
      const [behind, given] = [numberOf(group?.get('lag')), numberOf(group?.get('pending'))];
      return behind === undefined || given === undefined ? undefined : behind + Math.max(0, given - this.#inbox.given);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#inbox.fail(new SwiftletError('SourceUnreachable', 'the source was closed'));
    for (const connection of [this.#asks, this.#tells]) if (connection.isOpen) connection.destroy();
    await this.#asking?.catch(() => undefined);
  }

  /** Asks for entries and puts them into the inbox; an ask that is cut short loses none. */
  async #askUntil(wanted: Wanted, signal: AbortSignal): Promise<void> {
    const asking = this.#ask(wanted);
    this.#asking = asking;
    const cut = () => void this.#cutShort(asking);
    signal.addEventListener('abort', cut, { once: true });
    try {
      await asking;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#asking = undefined;
      signal.removeEventListener('abort', cut);
    }
  }

  async #ask({ messages, bytes }: Wanted): Promise<void> {
    const { stream, field } = this.#settings;
    const count = Math.max(1, Math.min(messages, Math.floor(bytes / this.#largestBytes)));
    const [from, wait] = this.#before === undefined ? [newEntries, ['BLOCK', String(waitMs)]] : [this.#before, []];
    const group = ['GROUP', this.#means.consumer, 'swiftlet'];
    const entries = entriesOf(
      await this.#asks.sendCommand(['XREADGROUP', ...group, 'COUNT', String(count), ...wait, 'STREAMS', stream, from]),
    );
    if (this.#before !== undefined) this.#before = entries.at(-1)?.id;
    const lost = entries.filter(({ fields }) => fields === undefined).map(({ id }) => id);
    if (lost.length > 0) await this.#tell('XACK', stream, this.#means.consumer, ...lost);
    for (const { id, fields } of entries) {
      if (fields === undefined) continue;
      const message = messageOf(stream, field, id, fields);
      this.#largestBytes = Math.max(message.body.length, Math.ceil(this.#largestBytes * 0.9), 1);
      this.#inbox.push(message);
    }
  }

  /** Redis answers the one who waits as if the time was over; it may not have begun to wait yet. */
  async #cutShort(asking: Promise<void>): Promise<void> {
    try {
      while (this.#asking === asking && (await this.#tell('CLIENT', 'UNBLOCK', this.#askerId)) === 0) await setTimeout(againMs);
    } catch {
      // The connection is broken, which the one who waits hears of.
    }
  }

  #tell(...command: readonly string[]): Promise<unknown> {
    return this.#tells.sendCommand([...command]);
  }

  #fail(error: unknown): SwiftletError {
    const fault = redisFault(this.#settings, error);
    this.#inbox.fail(fault);
    return fault;
  }
}
