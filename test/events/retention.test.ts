import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forgetBeforeMs } from '../../src/events/retention.ts';

test('events are forgotten a day after they ended, and sooner when there are too many', () => {
  const day = 24 * 3_600_000;
  assert.equal(forgetBeforeMs(3 * day, undefined), 2 * day);
  assert.equal(forgetBeforeMs(3 * day, day), 2 * day);
  assert.equal(forgetBeforeMs(3 * day, 3 * day - 5), 3 * day - 4);
});
