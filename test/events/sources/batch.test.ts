/** Which messages go together, by tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BatchPolicy, type Busy, companyOf, nextBatch, type Waiting } from '../../../src/events/sources/batch.ts';
import { idsOf, waitingOf } from './messages.ts';

const policy: BatchPolicy = { batchSize: 3, batchWindowMs: 0, concurrency: 2, order: 'none', attempts: 4 };
const nobody: Busy = { batches: 0, keys: new Set() };
const nowMs = 1_000;

interface Case {
  readonly what: string;
  readonly waiting: readonly Waiting[];
  readonly policy?: Partial<BatchPolicy>;
  readonly busy?: Partial<Busy>;
  readonly isFull?: boolean;
  /** Ids of the batch, or when there may be one. */
  readonly is: string | number;
}

const never = Number.POSITIVE_INFINITY;
const w = waitingOf;
const cases: readonly Case[] = [
  { what: 'nothing waits', waiting: [], is: never },
  { what: 'as many as may go together', waiting: [w('a'), w('b'), w('c'), w('d')], is: 'a b c' },
  { what: 'fewer, when there is no window', waiting: [w('a')], is: 'a' },
  { what: 'within the window they wait for others', waiting: [w('a', { sinceMs: 900 })], policy: { batchWindowMs: 500 }, is: 1_400 },
  {
    what: 'a batch that is full does not wait',
    waiting: [w('a', { sinceMs: 900 }), w('b'), w('c')],
    policy: { batchWindowMs: 500 },
    is: 'a b c',
  },
  { what: 'the window is over', waiting: [w('a', { sinceMs: 400 })], policy: { batchWindowMs: 500 }, is: 'a' },
  { what: 'nobody waits for what cannot come', waiting: [w('a', { sinceMs: 900 })], policy: { batchWindowMs: 500 }, isFull: true, is: 'a' },
  { what: 'no more batches than there may be', waiting: [w('a')], busy: { batches: 2 }, is: never },
  { what: 'what is due later waits, the others go', waiting: [w('a', { dueMs: 3_000, attempts: 1 }), w('b')], is: 'b' },
  { what: 'it waits until the first is due', waiting: [w('a', { dueMs: 3_000 }), w('b', { dueMs: 2_000 })], is: 2_000 },
  {
    what: 'what failed goes with its like, and in smaller company',
    waiting: [w('a', { attempts: 1 }), w('b'), w('c', { attempts: 1 })],
    policy: { batchSize: 4 },
    is: 'a c',
  },
  { what: 'a retry waits for no window', waiting: [w('a', { attempts: 1, sinceMs: 900 })], policy: { batchWindowMs: 500 }, is: 'a' },
  { what: 'the last attempt is made alone', waiting: [w('a', { attempts: 3 }), w('b', { attempts: 3 })], is: 'a' },
  { what: 'what was too large in company goes alone', waiting: [w('a', { isAlone: true }), w('b')], is: 'a' },
  { what: 'nobody joins what goes alone, and it joins nobody', waiting: [w('a'), w('b', { isAlone: true }), w('c')], is: 'a c' },
  {
    what: 'no more bytes than an event may have',
    waiting: [w('a', { bytes: 3_000_000 }), w('b', { bytes: 3_000_000 })],
    policy: { batchWindowMs: 5_000 },
    is: 'a',
  },
  { what: 'one that is larger goes all the same', waiting: [w('a', { bytes: 9_000_000 }), w('b')], is: 'a' },

  {
    what: 'partition: those behind one that waits wait, too',
    waiting: [w('a', { dueMs: 3_000 }), w('b')],
    policy: { order: 'partition', concurrency: 1 },
    is: 3_000,
  },
  {
    what: 'partition: those before it go',
    waiting: [w('a'), w('b', { dueMs: 3_000 }), w('c')],
    policy: { order: 'partition', concurrency: 1 },
    is: 'a',
  },
  {
    what: 'partition: a retry does not take newer ones along',
    waiting: [w('a', { attempts: 1 }), w('b'), w('c', { attempts: 1 })],
    policy: { order: 'partition', batchSize: 8, concurrency: 1 },
    is: 'a',
  },

  {
    what: 'key: one whose key is being worked on waits',
    waiting: [w('a', { key: 'x' }), w('b', { key: 'y' })],
    policy: { order: 'key' },
    busy: { batches: 1, keys: new Set(['x']) },
    is: 'b',
  },
  {
    what: 'key: those of a key go together, in their order',
    waiting: [w('a', { key: 'x' }), w('b', { key: 'x' }), w('c', { key: 'y' })],
    policy: { order: 'key' },
    is: 'a b c',
  },
  {
    what: 'key: one behind a later one of its key waits',
    waiting: [w('a', { key: 'x', dueMs: 2_000 }), w('b', { key: 'x' }), w('c', { key: 'y' })],
    policy: { order: 'key' },
    is: 'c',
  },
  {
    what: 'key: one is not taken when an earlier one of its key was passed over',
    waiting: [w('a', { key: 'y' }), w('b', { key: 'x', attempts: 1 }), w('c', { key: 'x' })],
    policy: { order: 'key' },
    is: 'a',
  },
  { what: 'key: one without a key waits for nobody', waiting: [w('a', { dueMs: 2_000 }), w('b')], policy: { order: 'key' }, is: 'b' },
];
for (const { what, waiting, policy: its, busy, isFull = false, is } of cases)
  test(what, () => {
    const choice = nextBatch(waiting, { ...nobody, ...busy }, { ...policy, ...its }, nowMs, isFull);
    assert.equal(choice.kind === 'batch' ? idsOf(choice.batch) : choice.untilMs, is);
  });

test('company becomes smaller, and the last attempt is made alone', () => {
  const of = (attempts: number, most: number) => companyOf(attempts, { ...policy, batchSize: 100, attempts: most });
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((attempts) => of(attempts, 5)),
    [100, 50, 25, 12, 1],
  );
  assert.deepEqual(
    [0, 1].map((attempts) => of(attempts, 2)),
    [100, 1],
  );
  assert.equal(of(0, 1), 100);
});
