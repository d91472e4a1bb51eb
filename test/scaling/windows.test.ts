/** Loads over time, and the clocks of schedules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionConfigSchema } from '../../src/model/function.ts';
import { LoadWindow } from '../../src/scaling/load-window.ts';
import { scheduleAt } from '../../src/scaling/schedule.ts';
import { VersionScaler } from '../../src/scaling/version-scaler.ts';

test('a window is as long as it was told, or as what there is', () => {
  const window = new LoadWindow(3_000);
  assert.equal(window.mean, 0);
  window.add(1_000, 4_000);
  assert.equal(window.mean, 4);
  for (let second = 0; second < 2; second++) window.add(1_000, 1_000);
  assert.equal(window.mean, 2);
  window.add(1_000, 1_000);
  assert.equal(window.mean, 1);
});

test('a gap without load empties a window, and the sum of much that came and went is 0', () => {
  const window = new LoadWindow(60_000);
  for (let at = 0; at < 10_000; at++) window.add(1_000, at * 0.1);
  window.add(3_600_000, 0);
  assert.ok(Math.abs(window.mean) < 1e-9, `${window.mean}`);
});

const nine = { expression: '0 9 * * 1-5', timeZone: 'Europe/Berlin', forMs: 3_600_000, target: 5 };
const at = (time: string): number => Date.parse(time);

test('a schedule holds from its time on, for as long as it says, by its zone’s clock', () => {
  // 2026-06-01 is a Monday; Berlin is two hours ahead then.
  const inForce = (time: string) => scheduleAt([nine], at(time)).schedule?.target;
  assert.deepEqual(
    ['2026-06-01T06:59:59Z', '2026-06-01T07:00:00Z', '2026-06-01T07:59:59Z', '2026-06-01T08:00:00Z', '2026-05-31T07:30:00Z'].map(inForce),
    [undefined, 5, 5, undefined, undefined],
  );
});

test('until when the answer holds is told, and of two schedules in force the last one wins', () => {
  const every = { expression: '*/30 * * * *', timeZone: 'UTC', forMs: 600_000, minimum: 2 };
  assert.deepEqual(scheduleAt([every], at('2026-06-01T07:05:00Z')), { schedule: every, untilMs: at('2026-06-01T07:10:00Z') });
  assert.deepEqual(scheduleAt([every], at('2026-06-01T07:15:00Z')), { schedule: undefined, untilMs: at('2026-06-01T07:30:00Z') });
  assert.equal(scheduleAt([every, nine], at('2026-06-01T07:05:00Z')).schedule, nine);
  assert.equal(scheduleAt([nine, every], at('2026-06-01T07:05:00Z')).schedule, every);
});

test('what has nothing to do any more is forgotten, but not before it has been told so', () => {
  const scaler = new VersionScaler(functionConfigSchema.parse({ concurrency: 1 }), 0);
  const sample = { spanMs: 1_000, busyMs: 5_000, requests: 5, cpuMs: 0, memory: 0, messages: 0 };
  assert.equal(scaler.step(sample, { inFlight: 5, running: 5 }, 10_000_000).target, 8);
  const still = { ...sample, busyMs: 0, requests: 0 };
  for (let second = 1; second <= 120; second++) scaler.step(still, { inFlight: 0, running: 0 }, 10_000_000 + second * 1_000);
  assert.equal(scaler.isQuiet, false);
  scaler.step(still, { inFlight: 0, running: 0 }, 10_121_000);
  assert.equal(scaler.isQuiet, true);
});
