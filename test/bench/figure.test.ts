import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Figure, ratioOf, verdictOn } from '../../bench/figure.ts';

const figure = (part: Partial<Figure>): Figure => ({ what: 'p50', value: 4, unit: 'ms', samples: 100, ...part });
const baseline = { name: 'bare', value: 20 };

test('a figure with a baseline is judged by its ratio, one without by itself', () => {
  assert.equal(ratioOf(figure({ baseline })), 0.2);
  assert.equal(verdictOn(figure({ baseline, target: { atMost: 0.2 } })), 'reached');
  assert.equal(verdictOn(figure({ baseline, target: { atMost: 0.19 } })), 'missed');
  assert.equal(verdictOn(figure({ baseline, target: { atLeast: 0.2 } })), 'reached');
  assert.equal(verdictOn(figure({ baseline, target: { atLeast: 0.21 } })), 'missed');
  assert.equal(verdictOn(figure({ target: { atMost: 4 } })), 'reached');
  assert.equal(verdictOn(figure({})), 'stated');
});

test('what is no number misses every target', () => {
  for (const target of [{ atMost: 1 }, { atLeast: 1 }]) assert.equal(verdictOn(figure({ value: Number.NaN, target })), 'missed');
});
