import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startsWanted } from '../../src/gateway/activate.ts';
import { pauseAfterFailures } from '../../src/model/back-off.ts';

const none = { waiting: 0, starting: 0, instances: 0, slots: 1, maximum: 10 };
const cases: [what: string, demand: Partial<typeof none>, wanted: number][] = [
  ['nobody waits', {}, 0],
  ['one waits', { waiting: 1 }, 1],
  ['one waits and its instance comes', { waiting: 1, starting: 1 }, 0],
  ['five wait, two come', { waiting: 5, starting: 2 }, 3],
  ['slots are shared', { waiting: 21, slots: 10 }, 3],
  ['the maximum counts what runs and what comes', { waiting: 50, starting: 3, instances: 5 }, 2],
  ['at the maximum', { waiting: 50, instances: 10 }, 0],
  ['above a maximum that was lowered', { waiting: 1, instances: 12 }, 0],
];
for (const [what, demand, wanted] of cases) {
  test(`starts wanted: ${what}`, () => {
    assert.equal(startsWanted({ ...none, ...demand }), wanted);
  });
}

test('the pause grows with failures, up to ten seconds', () => {
  assert.deepEqual([0, 1, 2, 3, 20].map(pauseAfterFailures), [0, 100, 200, 400, 10_000]);
});
