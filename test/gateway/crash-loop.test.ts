import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noCrashes, oneMore, pauseAfterCrashes, startsAtOnce } from '../../src/gateway/instances/crash-loop.ts';

/** Each: when the gateway got the instance, and when it crashed. */
const inARow = (...crashes: [sinceMs: number, nowMs: number][]) =>
  crashes.reduce((before, [sinceMs, nowMs]) => oneMore(before, sinceMs, nowMs), noCrashes);

test('from the third crash in a row on starts pause, longer each time, and one at a time tries', () => {
  const crashes = [1, 2, 3, 4, 20].map((count) =>
    inARow(...Array.from({ length: count }, (_, at): [number, number] => [at * 10 + 1, at * 10 + 5])),
  );
  assert.deepEqual(crashes.map(pauseAfterCrashes), [0, 0, 100, 200, 10_000]);
  assert.deepEqual(crashes.map(startsAtOnce), [Infinity, Infinity, 1, 1, 1]);
});

test('instances that were there together count once, however many of them one bad request ends', () => {
  assert.equal(inARow([0, 10], [5, 11], [10, 12]).inARow, 1);
  assert.equal(inARow([0, 10], [5, 11], [11, 20]).inARow, 2);
});

test('a minute without a crash begins anew', () => {
  assert.equal(inARow([0, 10], [11, 20], [21, 80_021]).inARow, 1);
});
