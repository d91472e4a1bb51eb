import assert from 'node:assert/strict';
import { test } from 'node:test';
import { foreseeableMs, soonFree, startsToSpare, startsWanted } from '../../src/gateway/instances/activate.ts';
import { pauseAfterFailures } from '../../src/model/back-off.ts';

const none = { waiting: 0, soonServed: 0, starting: 0, instances: 0, slots: 1, maximum: 10 };
const cases: [what: string, demand: Partial<typeof none>, wanted: number][] = [
  ['nobody waits', {}, 0],
  ['one waits', { waiting: 1 }, 1],
  ['one waits and its instance comes', { waiting: 1, starting: 1 }, 0],
  ['five wait, two come', { waiting: 5, starting: 2 }, 3],
  ['five wait, two find a place before', { waiting: 5, soonServed: 2 }, 3],
  ['all find one', { waiting: 2, soonServed: 9 }, 0],
  ['places that come free are places, not instances', { waiting: 21, soonServed: 1, slots: 10 }, 2],
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

test('starts to spare: those beyond what the ones who still wait need', () => {
  const spared = [
    { waiting: 5, starting: 5, slots: 1 },
    { waiting: 2, starting: 5, slots: 1 },
    { waiting: 11, starting: 5, slots: 10 },
    { waiting: 0, starting: 5, slots: 10 },
    { waiting: 9, starting: 5, slots: 1 },
  ].map(startsToSpare);
  assert.deepEqual(spared, [0, 3, 3, 5, 0]);
});

const flow = { busy: 4, requestMs: 2, startMs: 5, silentMs: 0 };
const turnovers: [what: string, turnover: Partial<Record<keyof typeof flow, number | undefined>>, places: number][] = [
  ['as many places come free as requests end while an instance starts', {}, 10],
  ['none when requests take much longer than a start', { requestMs: 100 }, 0],
  ['one when many take longer', { busy: 20, requestMs: 100 }, 1],
  ['nobody waits long, however slow starts are', { startMs: 500 }, 20],
  ['no request is under way', { busy: 0 }, 0],
  ['nobody knows how long a request takes', { requestMs: undefined }, 0],
  ['nobody knows how long a start takes', { startMs: undefined }, 0],
  ['what is under way takes longer than usual', { silentMs: 3 }, 0],
  ['what takes no time at all', { requestMs: 0 }, 200],
];
for (const [what, turnover, places] of turnovers) {
  test(`places that come free: ${what}`, () => {
    assert.equal(soonFree({ ...flow, ...turnover } as Parameters<typeof soonFree>[0]), places);
  });
}

test('a place is waited for as long as a start takes, and no longer than ten milliseconds', () => {
  assert.deepEqual([undefined, 4, 400].map(foreseeableMs), [0, 4, 10]);
});

test('the pause grows with failures, up to ten seconds', () => {
  assert.deepEqual([0, 1, 2, 3, 20].map(pauseAfterFailures), [0, 100, 200, 400, 10_000]);
});
