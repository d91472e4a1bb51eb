/** What of a start each request waited for, and who pays for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepaidMs, type StartedInstance, waitFor } from '../../src/gateway/instances/waited-start.ts';
import { noPhases, totalMs } from '../../src/model/phases.ts';

const started = (): StartedInstance => ({
  instanceId: 'i',
  causedBy: 'first',
  times: {
    spans: [
      { phase: 'sandbox', atMs: 0, ms: 2 },
      { phase: 'code', atMs: 2, ms: 3 },
      { phase: 'init', atMs: 5, ms: 10 },
    ],
    prepaid: { ...noPhases, sandbox: 30, code: 4 },
  },
  isPaid: false,
});

const waits: [what: string, waitMs: number, firstAt: number, waited: object][] = [
  ['from before it began: what is left is the queue’s', 18, 3, { sandbox: 2, code: 3, init: 10 }],
  ['from its beginning', 15, 0, { sandbox: 2, code: 3, init: 10 }],
  ['from the middle of a phase', 12, -3, { sandbox: 0, code: 2, init: 10 }],
  ['from its last moments', 1, -14, { sandbox: 0, code: 0, init: 1 }],
  ['not at all', 0, -15, { sandbox: 0, code: 0, init: 0 }],
];
for (const [what, waitMs, firstAt, waited] of waits) {
  test(`a request that waited ${what}`, () => {
    const seen = waitFor(started(), waitMs);
    assert.equal(seen.spans[0]?.atMs, firstAt);
    assert.deepEqual(seen.waited, { ...noPhases, ...waited });
    assert.ok(totalMs(seen.waited) <= waitMs);
    assert.equal(seen.initMs, 10, 'the init is as long as it was');
  });
}

test('a start is paid for once, in whole, by the first that its instance serves', () => {
  const start = started();
  const [first, second] = [waitFor(start, 20), waitFor(start, 5)];
  assert.deepEqual(first.cost, { initMs: 10, platformMs: 5 });
  assert.deepEqual([prepaidMs(first), prepaidMs(second)], [34, 0]);
  assert.equal(second.cost, undefined);
  assert.deepEqual([first.causedBy, second.causedBy], ['first', 'first']);
});
