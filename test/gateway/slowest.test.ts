import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Slowest } from '../../src/gateway/figures/slowest.ts';

const hourMs = 3_600_000;

test('the hundred slowest of an hour are taken, and nothing else', () => {
  const slowest = new Slowest();
  for (let ms = 100; ms < 200; ms++) assert.ok(slowest.takes(ms, 0));
  assert.ok(!slowest.takes(100, 1), 'no slower than the least of them');
  assert.ok(slowest.takes(100.5, 1), 'slower than the least of them, which it replaces');
  assert.ok(!slowest.takes(100.5, 1));
  assert.ok(slowest.takes(1_000, 1));
  assert.ok(!slowest.takes(101, 1));
});

test('each hour begins anew', () => {
  const slowest = new Slowest();
  for (let count = 0; count < 100; count++) slowest.takes(1_000, 0);
  assert.ok(!slowest.takes(5, hourMs - 1));
  assert.ok(slowest.takes(5, hourMs));
});
