/** What a consumer holds of its source: how much, in which order, and over a connection that breaks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BatchPolicy, Waiting } from '../../../src/events/sources/batch.ts';
import { Hold } from '../../../src/events/sources/hold.ts';
import type { Verdict } from '../../../src/events/sources/verdict.ts';
import { idsOf, messageOf } from './messages.ts';

const policy: BatchPolicy = { batchSize: 2, batchWindowMs: 0, concurrency: 1, order: 'none', attempts: 3 };
const done: Verdict = { kind: 'done' };
const again = (dueMs = 0, attempts = 1): Verdict => ({ kind: 'again', attempts, dueMs, isAlone: false });

function holdOf(change: Partial<BatchPolicy> = {}, limits = { messages: 8, bytes: 1_000_000 }, ...ids: string[]): Hold {
  const hold = new Hold({ ...policy, ...change }, limits);
  for (const id of ids) hold.add(messageOf(id), 0);
  return hold;
}
function take(hold: Hold, nowMs = 0): readonly Waiting[] {
  const found = hold.take(nowMs);
  return found.kind === 'batch' ? found.batch : [];
}

test('it takes no more than it may, and asks again when a part of it is free', () => {
  const hold = holdOf({}, { messages: 4, bytes: 1_000_000 }, 'a', 'b', 'c');
  assert.equal(hold.room()?.messages, 1);
  hold.add(messageOf('d'), 0);
  assert.equal(hold.room(), undefined);
  const batch = take(hold);
  assert.equal(hold.room(), undefined, 'what is being worked on is held, too');
  hold.settle(batch, [done, done]);
  assert.equal(hold.room()?.messages, 2);
});

test('it takes no more bytes than it may, and counts them back', () => {
  const hold = new Hold(policy, { messages: 8, bytes: 10_000 });
  for (const id of ['a', 'b']) hold.add(messageOf(id, { body: Buffer.alloc(6_000) }), 0);
  assert.equal(hold.room(), undefined);
  hold.settle(take(hold), [done, again(5)]);
  assert.ok((hold.room()?.bytes ?? 0) < 4_000);
  hold.settle(take(hold, 5), [done]);
  assert.deepEqual(hold.room(), { messages: 8, bytes: 10_000, except: new Set() });
});

test('what failed waits before those behind it, in its order', () => {
  const hold = holdOf({ batchSize: 3, order: 'partition' }, undefined, 'a', 'b', 'c', 'd');
  hold.settle(take(hold), [done, again(50), again(0, 0)]);
  assert.deepEqual(take(hold, 10), []);
  assert.equal(idsOf(take(hold, 50)), 'b');
});

test('partitions take turns', () => {
  const hold = holdOf({ batchSize: 1, concurrency: 9 });
  for (const id of ['a1', 'a2', 'b1', 'b2']) hold.add(messageOf(id, { partition: id.slice(0, 1) }), 0);
  assert.deepEqual([take(hold), take(hold), take(hold), take(hold)].map(idsOf), ['a1', 'b1', 'a2', 'b2']);
});

test('in an order, a partition that stands still does not take all places', () => {
  const hold = holdOf({ batchSize: 1, order: 'partition' }, { messages: 8, bytes: 1_000_000 });
  for (const id of ['a1', 'a2', 'b1']) hold.add(messageOf(id, { partition: id.slice(0, 1) }), 0);
  assert.deepEqual(hold.room()?.except, new Set(['a']));
});

test('what was being worked on when the connection broke is not done again when it comes again', () => {
  const hold = holdOf({}, undefined, 'a', 'b', 'c');
  const batch = take(hold);
  hold.lose();
  assert.deepEqual(hold.toAcknowledge(batch), [], 'its handles are of no use any more');
  hold.settle(batch, [done, done]);
  assert.equal(hold.add(messageOf('a'), 0), 'done');
  assert.equal(hold.add(messageOf('b'), 0), 'done');
  assert.equal(hold.add(messageOf('c'), 0), 'held', 'what only waited comes anew');
  assert.equal(hold.add(messageOf('a'), 0), 'held', 'it is remembered until it was acknowledged');
});

test('what comes again while it is being worked on is acknowledged by its new handle', () => {
  const hold = holdOf({}, undefined, 'a');
  const batch = take(hold);
  hold.lose();
  const newer = messageOf('a');
  assert.equal(hold.add(newer, 0), 'held');
  assert.deepEqual(take(hold), [], 'it is not handed out twice');
  assert.deepEqual(hold.toAcknowledge(batch), [newer]);
});

test('attempts are remembered over a connection that breaks', () => {
  const hold = holdOf({}, undefined, 'a', 'b');
  const batch = take(hold);
  hold.settle(batch, [again(0, 2), done]);
  hold.lose();
  hold.add(messageOf('a'), 0);
  assert.equal(take(hold)[0]?.attempts, 2);
});

test('what could not be acknowledged is remembered as done, and of such no more than it may hold', () => {
  const hold = holdOf({}, { messages: 2, bytes: 1_000_000 });
  hold.rememberDone(['a', 'b', 'c'].map((id) => messageOf(id)));
  assert.deepEqual(
    ['a', 'b', 'c'].map((id) => hold.add(messageOf(id), 0)),
    ['held', 'done', 'done'],
  );
});

test('what waits is released in its order', () => {
  const hold = holdOf({}, undefined, 'a', 'b', 'c');
  take(hold);
  assert.equal(idsOf(hold.release()), 'c');
  assert.equal(hold.size, 2);
});
