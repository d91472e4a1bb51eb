/** How many events of whom may be under way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyLane, isIdle, reached, roomOf, sharesOf, throttled, type Wish } from '../../src/events/lanes.ts';

test('a lane has room up to its limit, and none while it is paused', () => {
  assert.equal(roomOf({ ...emptyLane, inFlight: 3 }, 10, 0), 7);
  assert.equal(roomOf({ ...emptyLane, inFlight: 12 }, 10, 0), 0);
  assert.deepEqual(
    [99, 100].map((now) => roomOf({ ...emptyLane, pausedUntilMs: 100 }, 10, now)),
    [0, 10],
  );
});

test('those that are throttled together pause their lane once; who comes through ends the pause', () => {
  const once = throttled(emptyLane, 1_000, 1);
  assert.deepEqual(once, { inFlight: 0, streak: 1, pausedUntilMs: 1_200 });
  assert.equal(throttled(once, 1_100, 1), once);
  const twice = throttled(once, 1_200, 1);
  assert.deepEqual([twice.streak, twice.pausedUntilMs], [2, 1_600]);
  assert.deepEqual([isIdle(twice), isIdle(reached(twice))], [false, true]);
});

const wish = (inFlight: number, room: number): Wish => ({ inFlight, room });
const rows: readonly (readonly [what: string, wishes: Wish[], places: number, reserve: number, shares: number[]])[] = [
  ['alone, all it wants', [wish(0, 10)], 128, 32, [10]],
  ['nobody wants', [], 128, 32, []],
  ['no more than there are', [wish(0, 200)], 128, 0, [128]],
  ['what is reserved is for others', [wish(0, 200)], 128, 32, [96]],
  ['who has taken all it can gets no more', [wish(96, 100)], 32, 32, [0]],
  ['and others begin', [wish(96, 100), wish(0, 5), wish(0, 0)], 32, 32, [0, 1, 0]],
  ['equal parts', [wish(0, 50), wish(0, 50)], 20, 0, [10, 10]],
  ['what one does not want, others get', [wish(0, 50), wish(0, 2)], 20, 0, [18, 2]],
  ['who has nothing in flight comes first', [wish(9, 5), wish(0, 5)], 1, 0, [0, 1]],
  ['no places', [wish(0, 5)], 0, 0, [0]],
];
for (const [what, wishes, places, reserve, shares] of rows) test(what, () => assert.deepEqual(sharesOf(wishes, places, reserve), shares));
