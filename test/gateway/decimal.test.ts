/** Numbers in headers and reports. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threeDecimals } from '../../src/gateway/http/decimal.ts';

test('three decimals, as toFixed gives them', () => {
  for (const value of [0, 0.0004, 0.0006, 0.001, 0.0105, 0.999, 0.9996, 1, 12.345678, 999.9999, 1_999_999.999, 3e9, 1e15])
    assert.equal(threeDecimals(value), (Math.round(value * 1000) / 1000).toFixed(3), String(value));
});

test('what is no number of ours is told as it is', () => {
  assert.equal(threeDecimals(Number.NaN), 'NaN');
  assert.equal(threeDecimals(-1), '-1.000');
});
