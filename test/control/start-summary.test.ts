import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slowestOf, summariseStarts } from '../../src/control/start-summary.ts';
import { noPhases } from '../../src/model/phases.ts';
import type { Trace } from '../../src/wire/relay-calls.ts';

const warm = (requestId: string, totalMs: number): Trace => ({
  time: 't',
  requestId,
  version: 1,
  report: { outcome: 'ok', start: 'warm', totalMs, durationMs: 1, billedMs: 1, platformMs: 0, queueMs: 0, memoryUsedMiB: 1 },
});
const cold = (requestId: string, initMs: number, atMs = 0): Trace => {
  const { report, ...rest } = warm(requestId, initMs);
  const spans = [{ phase: 'init' as const, atMs, ms: initMs }];
  return {
    ...rest,
    report: { ...report, start: 'cold', coldStart: { instanceId: 'i', causedBy: requestId, spans, prepaid: { ...noPhases, sandbox: 20 } } },
  };
};

test('percentiles are of the cold ones, as far as their requests waited', () => {
  const traces = [warm('w', 900), ...Array.from({ length: 99 }, (_, at) => cold(`c${at}`, at + 1)), cold('joined', 100, -100)];
  const { count, waited, phases } = summariseStarts(traces);
  assert.equal(count, 100);
  assert.deepEqual(waited, { p50Ms: 49, p95Ms: 94 });
  assert.deepEqual(phases.find(({ phase }) => phase === 'init')?.waited, waited);
  assert.deepEqual(
    phases.find(({ phase }) => phase === 'sandbox'),
    {
      phase: 'sandbox',
      waited: { p50Ms: 0, p95Ms: 0 },
      prepaid: { p50Ms: 20, p95Ms: 20 },
    },
  );
});

test('of nothing there is nothing to say', () => {
  assert.deepEqual(summariseStarts([warm('w', 1)]).waited, { p50Ms: 0, p95Ms: 0 });
});

test('the slowest come first, each once', () => {
  const traces = [warm('a', 5), warm('b', 9), warm('a', 5), warm('c', 7)];
  assert.deepEqual(
    slowestOf(traces, 2).map(({ requestId }) => requestId),
    ['b', 'c'],
  );
  assert.equal(slowestOf(traces, 10).length, 3);
});
