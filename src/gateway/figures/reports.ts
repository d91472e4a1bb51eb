/** The platform's last word on each invocation, for the function's log. Budget: 1.5 µs a record; they leave in batches. */
import type { CallClient } from '../../wire/calls.ts';
import { threeDecimals } from '../http/decimal.ts';
import type { Exchange } from '../request/exchange.ts';
import type { ServedVersion } from '../instances/served-version.ts';
import { UsageBatch } from './usage-batch.ts';
import { prepaidMs, type WaitedStart } from '../instances/waited-start.ts';

const flushEveryMs = 50;
/** Above this many bytes waiting the log falls behind, and records are dropped and counted. */
const maxWaiting = 8 * 1024 * 1024;
const firstBytes = 1024;
const dayCharacters = 10;

interface Batch {
  readonly tenant: string;
  readonly function: string;
  /** Lines are written out at once: as strings they would be kept, piece by piece, until they leave. */
  bytes: Buffer;
  used: number;
  readonly usage: UsageBatch;
  /** Lines that are kept for longer than the others. */
  kept: string;
}

export class Reports {
  readonly #relay: CallClient;
  readonly #batches = new Map<string, Batch>();
  readonly #timer: NodeJS.Timeout;
  #waiting = 0;
  #timeAt = 0;
  #timeText = '';
  dropped = 0;

  constructor(relay: CallClient) {
    this.#relay = relay;
    this.#timer = setInterval(() => this.flush(), flushEveryMs);
  }

  /** @param outcome `ok` or an error code */
  record(exchange: Exchange, outcome: string, now: number): void {
    const { served, waitedStart, origin } = exchange;
    const durationMs = exchange.handlerMs > 0 ? exchange.handlerMs : exchange.dispatchedAt > 0 ? now - exchange.dispatchedAt : 0;
    const cost = waitedStart?.cost;
    const billedMs = Math.ceil(durationMs + (cost === undefined ? 0 : cost.initMs));
    const batch = this.#batches.get(served.key) ?? this.#open(served);
    if (exchange.dispatchedAt > 0) use(batch.usage, exchange, billedMs);
    if (this.#waiting > maxWaiting) {
      this.dropped += 1;
      return;
    }
    const totalMs = now - exchange.arrivedAt;
    // Everything in it is a number or of our own making, so that it needs no escaping.
    const line =
      `{"time":"${this.#time()}","level":"report","requestId":"${exchange.id}","version":${served.version.number},"message":"${outcome}",` +
      `"report":{"outcome":"${outcome}","start":"${exchange.start}","totalMs":${threeDecimals(totalMs)},"durationMs":${threeDecimals(durationMs)},` +
      `"billedMs":${billedMs},"platformMs":${cost === undefined ? '0' : threeDecimals(cost.platformMs)},"queueMs":${threeDecimals(exchange.queueMs)},` +
      `"memoryUsedMiB":${Math.round(exchange.memoryMiB * 10) / 10}${origin.caller === undefined ? '' : `,"caller":${JSON.stringify(origin.caller)}`}` +
      `${waitedStart === undefined ? '' : startText(waitedStart)}}}\n`;
    if (batch.bytes.length - batch.used < line.length) this.#enlarge(batch, line.length);
    batch.used += batch.bytes.write(line, batch.used, 'latin1');
    if (waitedStart !== undefined || (exchange.openedAt === 0 && served.figures.slowest.takes(totalMs, now))) {
      this.#waiting += line.length;
      batch.kept += line;
    }
  }

  #enlarge(batch: Batch, more: number): void {
    const before = batch.bytes.length;
    batch.bytes = Buffer.concat([batch.bytes], 2 * before + more);
    this.#waiting += batch.bytes.length - before;
  }

  #open({ key, version }: ServedVersion): Batch {
    const batch = {
      tenant: version.tenant,
      function: version.function,
      bytes: Buffer.allocUnsafe(firstBytes),
      used: 0,
      usage: new UsageBatch(this.#time().slice(0, dayCharacters)),
      kept: '',
    };
    this.#batches.set(key, batch);
    this.#waiting += firstBytes;
    return batch;
  }

  /** The time as records have it, made once a millisecond. */
  #time(): string {
    const now = Date.now();
    if (now !== this.#timeAt) {
      this.#timeAt = now;
      this.#timeText = new Date(now).toISOString();
    }
    return this.#timeText;
  }

  flush(): void {
    if (this.#batches.size === 0 || !this.#relay.connected) return;
    for (const { tenant, function: name, bytes, used, usage, kept } of this.#batches.values()) {
      const counts = usage.isEmpty ? {} : { usage: usage.counts };
      this.#relay.notifyText('append', { tenant, function: name, ...counts }, bytes.subarray(0, used));
      if (kept !== '') this.#relay.notifyText('keep', { tenant, function: name }, Buffer.from(kept, 'latin1'));
    }
    this.#batches.clear();
    this.#waiting = 0;
  }

  [Symbol.dispose](): void {
    this.flush();
    clearInterval(this.#timer);
  }
}

function use(usage: UsageBatch, { start, waitedStart, served }: Exchange, billedMs: number): void {
  usage[start] += 1;
  usage.bill(billedMs, served.version.config.memoryMiB);
  if (waitedStart === undefined) return;
  usage.platformMs += waitedStart.cost?.platformMs ?? 0;
  usage.prepaidMs += prepaidMs(waitedStart);
}

function startText({ initMs, instanceId, causedBy, spans, prepaid }: WaitedStart): string {
  return `,"initMs":${threeDecimals(initMs)},"coldStart":${JSON.stringify({ instanceId, causedBy, spans, prepaid })}`;
}
