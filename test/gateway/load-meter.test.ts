import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LoadMeter } from '../../src/gateway/instances/load-meter.ts';

test('requests are added up over the time that instances have them; a wait before is no load', () => {
  const meter = new LoadMeter();
  for (const atMs of [0, 100]) meter.arrived(atMs);
  meter.began(1_000);
  meter.began(1_500);
  meter.ended(2_000);
  assert.deepEqual([meter.busyMs(3_000), meter.busy, meter.requests], [500 + 2 * 500 + 1_000, 1, 2]);
  meter.ended(3_000);
  assert.deepEqual([meter.busyMs(99_000), meter.busy], [2_500, 0]);
  assert.deepEqual([meter.wasBusyWithin(10_000, 13_000), meter.wasBusyWithin(10_000, 13_001)], [true, false]);
});

test('a time that lies before the last one adds nothing', () => {
  const meter = new LoadMeter();
  meter.began(1_000);
  meter.ended(999);
  assert.equal(meter.busyMs(5_000), 0);
});

test('what was forgotten is no part of the next sums', () => {
  const meter = new LoadMeter();
  meter.arrived(0);
  meter.began(0);
  meter.ended(5_000);
  meter.forget();
  assert.deepEqual([meter.busyMs(60_000), meter.requests, meter.wasBusyWithin(10_000, 6_000)], [0, 0, false]);
  meter.arrived(100_000);
  meter.began(100_000);
  assert.deepEqual([meter.busyMs(100_500), meter.requests], [500, 1]);
});
