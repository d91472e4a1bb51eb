/** Which of the messages that are held go into the next batch. Pure: the time is given. */
import type { SourceConfig } from '../../model/source.ts';
import type { Message } from './source.ts';

/** A message that waits for its next attempt. */
export interface Waiting {
  readonly message: Message;
  /** Attempts that are over. */
  readonly attempts: number;
  /** When it came: its window begins here. */
  readonly sinceMs: number;
  /** The earliest time of the next attempt. */
  readonly dueMs: number;
  /** It has to go without company: what it was in before was too large. */
  readonly isAlone: boolean;
}

/** What is being worked on in a partition. */
export interface Busy {
  readonly batches: number;
  readonly keys: ReadonlySet<string>;
}

export type BatchPolicy = Pick<SourceConfig, 'batchSize' | 'batchWindowMs' | 'concurrency' | 'order' | 'attempts'>;

export type Choice =
  | { readonly kind: 'batch'; readonly batch: readonly Waiting[] }
  /** There is none now. @see untilMs when there may be one although nothing happens; Infinity when not */
  | { readonly kind: 'wait'; readonly untilMs: number };

/** What the bodies of a batch may have together, so that the event, where they may be Base64, is no larger than a request may be. */
export const maxBatchBytes = 4 * 1024 * 1024;
/** What each record has beside its body, about. */
export const recordBytes = 1024;

export const bytesOf = ({ message: { body } }: Pick<Waiting, 'message'>): number => body.length + recordBytes;

/**
 * How many messages may go together with one that has had so many attempts. What failed goes in smaller company each time, and at last
 * alone: so nothing becomes a dead letter for another message's fault.
 */
export function companyOf(attempts: number, { batchSize, attempts: most }: BatchPolicy): number {
  if (attempts === 0) return batchSize;
  return attempts >= most - 1 ? 1 : Math.max(1, Math.floor(batchSize / 2 ** attempts));
}

/**
 * The next batch of a partition.
 * @param waiting its messages in their order
 * @param isFull whether no more can be taken from the source: then nobody waits for company
 */
export function nextBatch(waiting: readonly Waiting[], busy: Busy, policy: BatchPolicy, nowMs: number, isFull: boolean): Choice {
  if (busy.batches >= policy.concurrency) return idle;
  const candidates = candidatesOf(waiting, busy, policy.order, nowMs);
  const [head] = candidates;
  if (head === undefined) return { kind: 'wait', untilMs: firstDueMs(waiting, policy.order, nowMs) };
  const most = head.isAlone ? 1 : companyOf(head.attempts, policy);
  const { batch, isWhole } = cut(candidates, most, policy.order);
  const windowEndsMs = head.sinceMs + policy.batchWindowMs;
  if (isWhole || isFull || head.attempts > 0 || nowMs >= windowEndsMs) return { kind: 'batch', batch };
  return { kind: 'wait', untilMs: windowEndsMs };
}

const idle: Choice = { kind: 'wait', untilMs: Number.POSITIVE_INFINITY };

/** Those that may go now, in their order. */
function candidatesOf(waiting: readonly Waiting[], busy: Busy, order: BatchPolicy['order'], nowMs: number): Waiting[] {
  switch (order) {
    case 'none':
      return waiting.filter(({ dueMs }) => dueMs <= nowMs);
    case 'key':
      return firstOfKeys(waiting, busy.keys, nowMs);
    case 'partition': {
      const firstLater = waiting.findIndex(({ dueMs }) => dueMs > nowMs);
      return waiting.slice(0, firstLater === -1 ? waiting.length : firstLater);
    }
  }
}

/** A message whose key is being worked on, or waits before it, has to wait, too. One without a key has nothing to wait for. */
function firstOfKeys(waiting: readonly Waiting[], busyKeys: ReadonlySet<string>, nowMs: number): Waiting[] {
  const held = new Set(busyKeys);
  return waiting.filter(({ message: { key }, dueMs }) => {
    const mayGo = dueMs <= nowMs && (key === undefined || !held.has(key));
    if (!mayGo && key !== undefined) held.add(key);
    return mayGo;
  });
}

/** The first candidate and those that go with it: others with as many attempts, as many as may be and as fit in. */
function cut(candidates: readonly Waiting[], most: number, order: BatchPolicy['order']): { batch: Waiting[]; isWhole: boolean } {
  const batch: Waiting[] = [];
  const passedOver = new Set<string>();
  let bytes = 0;
  for (const one of candidates) {
    const [head = one] = batch;
    const { key } = one.message;
    const fits = batch.length === 0 || bytes + bytesOf(one) <= maxBatchBytes;
    const isAlike = one.attempts === head.attempts && (one === head || !one.isAlone);
    const isBehind = order === 'key' && key !== undefined && passedOver.has(key);
    if (batch.length === most || !fits) return { batch, isWhole: true };
    if (isAlike && !isBehind) {
      batch.push(one);
      bytes += bytesOf(one);
    } else if (order === 'partition') return { batch, isWhole: true };
    else if (key !== undefined) passedOver.add(key);
  }
  return { batch, isWhole: batch.length === most };
}

const firstDueMs = (waiting: readonly Waiting[], order: BatchPolicy['order'], nowMs: number): number =>
  order === 'partition'
    ? (waiting[0]?.dueMs ?? Number.POSITIVE_INFINITY)
    : Math.min(Number.POSITIVE_INFINITY, ...waiting.filter(({ dueMs }) => dueMs > nowMs).map(({ dueMs }) => dueMs));
