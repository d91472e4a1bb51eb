import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusedTally, tallyMs } from '../../src/control/audit/refused-tally.ts';
import type { AuditEntry } from '../../src/model/audit.ts';

const refusal = (source: string, action = 'PUT /v1/functions/:name'): AuditEntry => ({
  time: '2026-01-02T03:04:05.000Z',
  tenant: '*',
  actor: { kind: 'nobody', id: '' },
  source,
  action,
  target: '/v1/functions/a',
  requestId: 'r',
  result: { status: 401, code: 'Unauthorized' },
});

test('the first refusal is recorded at once, those that follow it together', () => {
  const tally = new RefusedTally();
  assert.ok(tally.note(refusal('1.1.1.1'), 0));
  for (let count = 0; count < 500; count++) assert.equal(tally.note(refusal('1.1.1.1'), count), undefined);
  assert.ok(tally.note(refusal('2.2.2.2'), 10), 'another source is another kind');
  assert.ok(tally.note(refusal('1.1.1.1', 'DELETE /v1/functions/:name'), 10), 'another action, too');
  assert.deepEqual(tally.flush(tallyMs - 1), []);
  assert.deepEqual(
    tally.flush(tallyMs).map(({ source, times }) => [source, times]),
    [['1.1.1.1', 500]],
  );
  assert.ok(tally.note(refusal('1.1.1.1'), tallyMs), 'afterwards it begins anew');
});

test('one that came twice is two records, and nothing is counted for ever', () => {
  const tally = new RefusedTally();
  tally.note(refusal('1.1.1.1'), 0);
  tally.note(refusal('1.1.1.1'), 0);
  const flushed = tally.flush(Infinity);
  assert.deepEqual([flushed.length, flushed[0]?.times], [1, undefined]);
  assert.deepEqual(tally.flush(Infinity), []);
});

test('from ten thousand sources a thousand are told apart, the others are one', () => {
  const tally = new RefusedTally();
  const recorded = Array.from({ length: 10_000 }, (_, at) => tally.note(refusal(`10.0.${at >> 8}.${at & 255}`), 0)).filter(Boolean);
  assert.equal(recorded.length, 1_000);
  const [rest, ...more] = tally.flush(Infinity);
  assert.deepEqual([rest?.source, rest?.times, more], ['many', 9_000, []]);
});
