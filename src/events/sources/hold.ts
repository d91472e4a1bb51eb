/**
 * The messages that a consumer has from its source and has not settled: what waits, what is being worked on, and what is remembered of
 * those that went when the connection broke. It holds no more than it may; the source keeps the rest.
 */
import { type BatchPolicy, type Busy, bytesOf, nextBatch, type Waiting } from './batch.ts';
import type { Message, Wanted } from './source.ts';
import type { Verdict } from './verdict.ts';

export interface HoldLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** Partitions that can be worked on at the same time at least, if there are so many. */
const partitionsAtOnce = 8;
/** For each batch that is being worked on, one that is made ready. */
const ahead = 2;
const leastMessages = 100;
const mostMessages = 20_000;
const mostBytes = 16 * 1024 * 1024;
/** So much of the places is free before more is asked for. */
const leastPart = 1 / 4;
/** In an order, one partition that stands still takes no more than this part of the places. */
const shareOfPartition = 1 / 4;

export const holdLimitsOf = ({ batchSize, concurrency }: Pick<BatchPolicy, 'batchSize' | 'concurrency'>): HoldLimits => ({
  messages: Math.min(mostMessages, Math.max(leastMessages, ahead * batchSize * Math.max(concurrency, partitionsAtOnce))),
  bytes: mostBytes,
});

/** A message that is being worked on. Its handle may be changed for a newer one: its connection broke and it came again. */
interface Working extends Waiting {
  readonly isLost: boolean;
}

/** What is known of a message that is not held any more. */
interface Past {
  readonly attempts: number;
  readonly isDone: boolean;
}

export type Found = { readonly kind: 'batch'; readonly batch: readonly Waiting[] } | { readonly kind: 'wait'; readonly untilMs: number };

export class Hold {
  readonly #policy: BatchPolicy;
  readonly #limits: HoldLimits;
  /** By partition, in the order in which they came. */
  readonly #waiting = new Map<string, Map<string, Waiting>>();
  readonly #working = new Map<string, Working>();
  readonly #batches = new Map<string, number>();
  readonly #past = new Map<string, Past>();
  #bytes = 0;

  constructor(policy: BatchPolicy, limits: HoldLimits = holdLimitsOf(policy)) {
    this.#policy = policy;
    this.#limits = limits;
  }

  get size(): number {
    return this.#waitingCount() + this.#working.size;
  }

  get working(): number {
    return this.#working.size;
  }

  /** What more may be taken; undefined when nothing may. It is asked for in parts that are worth the asking. */
  room(): Wanted | undefined {
    const messages = this.#limits.messages - this.size;
    const bytes = this.#limits.bytes - this.#bytes;
    if (messages < this.#limits.messages * leastPart || bytes <= 0) return undefined;
    return { messages, bytes, except: this.#standing() };
  }

  /**
   * Takes a message that came.
   * @returns `done` for one that was dealt with before its connection broke: it only has to be acknowledged
   */
  add(message: Message, nowMs: number): 'held' | 'done' {
    const { id } = message;
    const working = this.#working.get(id);
    if (working !== undefined) {
      this.#working.set(id, { ...working, message, isLost: false });
      return 'held';
    }
    const past = this.#past.get(id);
    this.#past.delete(id);
    if (past?.isDone === true) return 'done';
    this.#wait({ message, attempts: past?.attempts ?? 0, sinceMs: nowMs, dueMs: nowMs, isAlone: false });
    return 'held';
  }

  /** Takes the next batch to work on, of whichever partition has one; partitions take turns. */
  take(nowMs: number): Found {
    const isFull = this.room() === undefined;
    let untilMs = Number.POSITIVE_INFINITY;
    for (const [partition, places] of this.#waiting) {
      const choice = nextBatch([...places.values()], this.#busy(partition), this.#policy, nowMs, isFull);
      if (choice.kind === 'wait') {
        untilMs = Math.min(untilMs, choice.untilMs);
        continue;
      }
      for (const one of choice.batch) {
        places.delete(one.message.id);
        this.#working.set(one.message.id, { ...one, isLost: false });
      }
      this.#batches.set(partition, (this.#batches.get(partition) ?? 0) + 1);
      this.#waiting.delete(partition);
      if (places.size > 0) this.#waiting.set(partition, places);
      return choice;
    }
    return { kind: 'wait', untilMs };
  }

  /**
   * The messages of a batch as they are to be acknowledged: with the newest handles, and without those whose connection broke, of which it
   * is remembered that they are done.
   */
  toAcknowledge(batch: readonly Waiting[]): Message[] {
    return batch.flatMap(({ message: { id }, attempts }) => {
      const working = this.#working.get(id);
      if (working === undefined) return [];
      if (!working.isLost) return [working.message];
      this.#remember(id, { attempts, isDone: true });
      return [];
    });
  }

  /** Ends the work on a batch. @param verdicts for each of its messages */
  settle(batch: readonly Waiting[], verdicts: readonly Verdict[]): void {
    const [first] = batch;
    if (first === undefined) return;
    const left = (this.#batches.get(first.message.partition) ?? 1) - 1;
    if (left === 0) this.#batches.delete(first.message.partition);
    else this.#batches.set(first.message.partition, left);
    const again = batch.flatMap((one, at) => this.#endWork(one, verdicts[at]));
    if (again.length === 0) return;
    const behind = this.#waiting.get(first.message.partition) ?? [];
    this.#waiting.set(first.message.partition, new Map([...again.map((one) => [one.message.id, one] as const), ...behind]));
  }

  /** An acknowledgement did not get through: when these come again, they only have to be acknowledged. */
  rememberDone(batch: readonly Message[]): void {
    for (const { id } of batch) this.#remember(id, { attempts: 0, isDone: true });
  }

  /** The connection broke, and all that was given out comes again. What is being worked on is not stopped for that. */
  lose(): void {
    for (const places of this.#waiting.values()) {
      for (const one of places.values()) {
        this.#bytes -= bytesOf(one);
        if (one.attempts > 0) this.#remember(one.message.id, { attempts: one.attempts, isDone: false });
      }
    }
    this.#waiting.clear();
    for (const [id, one] of this.#working) this.#working.set(id, { ...one, isLost: true });
  }

  /** All that waits, in its order, which is not held any more then. */
  release(): Message[] {
    const released = [...this.#waiting.values()].flatMap((places) => [...places.values()]);
    for (const one of released) this.#bytes -= bytesOf(one);
    this.#waiting.clear();
    return released.map(({ message }) => message);
  }

  #wait(one: Waiting): void {
    const { id, partition } = one.message;
    const places = this.#waiting.get(partition) ?? new Map<string, Waiting>();
    const known = places.get(id);
    if (known === undefined) this.#bytes += bytesOf(one);
    // It came again while it waited: its new handle counts, in its old place.
    places.set(id, known === undefined ? one : { ...known, message: one.message });
    this.#waiting.set(partition, places);
  }

  /** @returns the message as it waits for its next attempt, if there is to be one and it is still ours */
  #endWork(one: Waiting, verdict: Verdict | undefined): Waiting[] {
    const { id } = one.message;
    const working = this.#working.get(id);
    this.#working.delete(id);
    const isAgain = working !== undefined && verdict?.kind === 'again';
    if (isAgain && !working.isLost) {
      const { attempts, dueMs, isAlone } = verdict;
      return [{ message: working.message, attempts, sinceMs: one.sinceMs, dueMs, isAlone }];
    }
    this.#bytes -= bytesOf(one);
    if (isAgain) this.#remember(id, { attempts: verdict.attempts, isDone: false });
    return [];
  }

  #remember(id: string, past: Past): void {
    this.#past.delete(id);
    this.#past.set(id, past);
    const [oldest] = this.#past.keys();
    if (this.#past.size > this.#limits.messages && oldest !== undefined) this.#past.delete(oldest);
  }

  #busy(partition: string): Busy {
    const keys = new Set<string>();
    if (this.#policy.order === 'key')
      for (const { message } of this.#working.values())
        if (message.partition === partition && message.key !== undefined) keys.add(message.key);
    return { batches: this.#batches.get(partition) ?? 0, keys };
  }

  /** In an order: partitions that have as much here as one may. */
  #standing(): Set<string> {
    if (this.#policy.order === 'none') return new Set();
    const most = Math.max(ahead * this.#policy.batchSize * this.#policy.concurrency, this.#limits.messages * shareOfPartition);
    return new Set([...this.#waiting].filter(([, places]) => places.size >= most).map(([partition]) => partition));
  }

  #waitingCount(): number {
    let count = 0;
    for (const places of this.#waiting.values()) count += places.size;
    return count;
  }
}
