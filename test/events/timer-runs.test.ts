/** Which runs are due, and what becomes of those that nobody was there for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missedAfterMs, runsDue } from '../../src/events/timer-runs.ts';
import { type Timer, timerSchema } from '../../src/model/timer.ts';

const minute = 60_000;
const hour = 60 * minute;
const hourly = (missed: string): Timer => timerSchema.parse({ kind: 'rate', everyMs: hour, missed });
const place = { sinceMs: 0, nextMs: hour };

const rows: readonly (readonly [
  what: string,
  timer: Timer,
  nowMs: number,
  dueMs: number[],
  nextMs: number | undefined,
  hasSkipped: boolean,
])[] = [
  ['not yet', hourly('skip'), hour - 1, [], hour, false],
  ['in time', hourly('skip'), hour, [hour], 2 * hour, false],
  ['late, but not missed', hourly('skip'), hour + missedAfterMs, [hour], 2 * hour, false],
  ['missed, skipped', hourly('skip'), hour + missedAfterMs + 1, [], 2 * hour, true],
  ['several missed, the last one in time', hourly('skip'), 5 * hour + 10, [5 * hour], 6 * hour, true],
  ['one for all', hourly('once'), 5 * hour + 30 * minute, [hour], 6 * hour, false],
  ['one for all, and the present one', hourly('once'), 5 * hour + 10, [hour, 5 * hour], 6 * hour, false],
  ['each', hourly('all'), 4 * hour + 30 * minute, [1, 2, 3, 4].map((n) => n * hour), 5 * hour, false],
];
for (const [what, timer, nowMs, dueMs, nextMs, hasSkipped] of rows)
  test(what, () => assert.deepEqual(runsDue(timer, place, nowMs), { dueMs, nextMs, hasSkipped }));

test('all that were missed are a thousand at most, and then it goes on from now', () => {
  const runs = runsDue(hourly('all'), place, 5_000 * hour + 30 * minute);
  assert.deepEqual([runs.dueMs.length, runs.dueMs[0], runs.dueMs.at(-1)], [1_000, hour, 1_000 * hour]);
  assert.deepEqual([runs.nextMs, runs.hasSkipped], [5_001 * hour, true]);
});

test('a year away costs nothing', () => {
  const every = (missed: string) => timerSchema.parse({ kind: 'cron', expression: '* * * * * *', missed });
  const startedAt = performance.now();
  for (const missed of ['skip', 'once', 'all'])
    assert.ok((runsDue(every(missed), { sinceMs: 0, nextMs: 1_000 }, 365 * 24 * hour).nextMs ?? 0) > 365 * 24 * hour);
  assert.ok(performance.now() - startedAt < 10_000);
});

test('one that is run once is made up for, or not, and then over', () => {
  const once = (missed: string) => timerSchema.parse({ kind: 'once', at: '1970-01-01T01:00:00Z', missed });
  assert.deepEqual(runsDue(once('once'), place, 9 * hour), { dueMs: [hour], nextMs: undefined, hasSkipped: false });
  assert.deepEqual(runsDue(once('skip'), place, 9 * hour), { dueMs: [], nextMs: undefined, hasSkipped: true });
});
