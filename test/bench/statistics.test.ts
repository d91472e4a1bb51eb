import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, percentile, summarise } from '../../bench/statistics.ts';

test('percentile is the nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
  for (const [p, expected] of [
    [0, 1],
    [1, 1],
    [50, 50],
    [99, 99],
    [99.1, 100],
    [100, 100],
  ] as const) {
    assert.equal(percentile(hundred, p), expected, `p${p}`);
  }
  assert.equal(percentile([7], 99), 7);
  assert.ok(Number.isNaN(percentile([], 50)));
});

test('a summary does not depend on the order, and leaves the samples alone', () => {
  const samples = [5, 1, 4, 2, 3];
  assert.deepEqual(summarise(samples), { count: 5, min: 1, p50: 3, p99: 5, max: 5 });
  assert.deepEqual(samples, [5, 1, 4, 2, 3]);
  assert.equal(median([1, 2, 3, 100]), 2);
});
