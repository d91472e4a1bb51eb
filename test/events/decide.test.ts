/** What becomes of an event after an attempt. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide, expire, isTooOld, type Outcome, type Policy, retryDelayMs, throttlePauseMs } from '../../src/events/decide.ts';

const policy: Policy = { retries: 2, backoffMs: 60_000, maximumAgeMs: 3_600_000, onFailure: 'dead-letter' };
const error = { code: 'HandlerError', message: 'boom' };
const result = { status: 200, body: 'fine', encoding: 'utf8', isTruncated: false } as const;
const failed: Outcome = { kind: 'failed', error };
const throttled: Outcome = { kind: 'throttled', error };
const now = 1_000_000;
const tried = (attempts: number, ageMs = 0) => ({ attempts, sinceMs: now - ageMs });

const rows: readonly (readonly [what: string, settled: object, wanted: object])[] = [
  [
    'an answer: it succeeded',
    decide(tried(0), { kind: 'answered', result }, policy, now, now),
    { kind: 'succeeded', attempts: 1, atMs: now, result },
  ],
  [
    'the first failure: again after a minute',
    decide(tried(0), failed, policy, now, now),
    { kind: 'waiting', attempts: 1, dueMs: now + 60_000, error },
  ],
  ['the second: after two', decide(tried(1), failed, policy, now, now), { kind: 'waiting', attempts: 2, dueMs: now + 120_000, error }],
  [
    'the third: no attempt is left',
    decide(tried(2), failed, policy, now, now),
    { kind: 'dead-lettered', attempts: 3, atMs: now, reason: 'attempts', error },
  ],
  [
    'without retries the first is the last',
    decide(tried(0), failed, { ...policy, retries: 0 }, now, now),
    { kind: 'dead-lettered', attempts: 1, atMs: now, reason: 'attempts', error },
  ],
  [
    'where failures are discarded',
    decide(tried(2), failed, { ...policy, onFailure: 'discard' }, now, now),
    { kind: 'discarded', attempts: 3, atMs: now, reason: 'attempts', error },
  ],
  [
    'throttled: no attempt is counted',
    decide(tried(2), throttled, policy, now, now + 700.5),
    { kind: 'waiting', attempts: 2, dueMs: now + 701, error },
  ],
  [
    'throttled until it is too old',
    decide(tried(1, 3_599_500), throttled, policy, now, now + 500),
    { kind: 'dead-lettered', attempts: 1, atMs: now, reason: 'age', error },
  ],
  [
    'a retry that would come too late',
    decide(tried(0, 3_599_500), failed, policy, now, now),
    { kind: 'dead-lettered', attempts: 1, atMs: now, reason: 'age', error },
  ],
  [
    'what no attempt can help',
    decide(tried(0), { kind: 'refused', error }, policy, now, now),
    { kind: 'dead-lettered', attempts: 0, atMs: now, reason: 'refused', error },
  ],
];
for (const [what, settled, wanted] of rows) test(what, () => assert.deepEqual(settled, wanted));

test('an event is too old at its maximum age, not before', () => {
  assert.deepEqual([isTooOld(tried(0, 3_599_999), policy, now), isTooOld(tried(0, 3_600_000), policy, now)], [false, true]);
  const end = expire(tried(1), policy, now);
  assert.ok(end.kind === 'dead-lettered' && end.reason === 'age' && end.error.code === 'EventExpired' && end.attempts === 1);
});

test('pauses double up to an hour; a longer one that was configured stays as it is', () => {
  assert.deepEqual(
    [1, 2, 3, 50].map((attempts) => retryDelayMs(attempts, 60_000)),
    [60_000, 120_000, 240_000, 3_600_000],
  );
  assert.equal(retryDelayMs(3, 7_200_000), 7_200_000);
});

test('throttles pause longer and longer, up to half a minute, and not all for the same time', () => {
  assert.deepEqual(
    [1, 2, 3, 40].map((streak) => throttlePauseMs(streak, 1)),
    [200, 400, 800, 30_000],
  );
  assert.equal(throttlePauseMs(3, 0), 400);
});
