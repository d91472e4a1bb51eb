import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growth, median, percentile, summarise } from '../../bench/statistics.ts';

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

test('growth sees a slope and not the waves on it', () => {
  const wave = (slope: number) => Array.from({ length: 100 }, (_, i) => ({ atMs: i * 1000, value: 50 + slope * i + (i % 7) }));
  assert.equal(growth(wave(0)), 0);
  const grown = growth(wave(1));
  assert.ok(grown > 75 && grown < 85, String(grown));
});
