/** A request's steps as bars. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barOf, stepsOf, waterfall } from '../../src/cli/waterfall.ts';
import { noPhases } from '../../src/model/phases.ts';
import type { Report } from '../../src/wire/relay-calls.ts';

const warm: Report = {
  outcome: 'ok',
  start: 'warm',
  totalMs: 10,
  durationMs: 6,
  billedMs: 6,
  platformMs: 0,
  queueMs: 2,
  memoryUsedMiB: 30,
};
const cold = (atMs: number): Report => ({
  ...warm,
  start: 'cold',
  totalMs: 20,
  coldStart: {
    instanceId: 'i',
    causedBy: 'other',
    spans: [
      { phase: 'sandbox', atMs, ms: 4 },
      { phase: 'runtime', atMs: atMs + 4, ms: 3 },
      { phase: 'runtime', atMs: atMs + 7, ms: 1 },
    ],
    prepaid: { ...noPhases, runtime: 25 },
  },
});

test('the steps of a warm request', () => {
  assert.deepEqual(stepsOf(warm), [
    { name: 'queue', atMs: 0, ms: 2, prepaidMs: 0 },
    { name: 'handler', atMs: 2, ms: 6, prepaidMs: 0 },
    { name: 'answer', atMs: 8, ms: 2, prepaidMs: 0 },
  ]);
});

test('a cold one has its phases between queue and handler, and what was prepaid is told once', () => {
  const steps = stepsOf(cold(2));
  assert.deepEqual(
    steps.map(({ name, atMs, prepaidMs }) => [name, atMs, prepaidMs]),
    [
      ['queue', 0, 0],
      ['sandbox', 2, 0],
      ['runtime', 6, 25],
      ['runtime', 9, 0],
      ['handler', 10, 0],
      ['answer', 16, 0],
    ],
  );
});

test('a request that came while the start was under way: its handler begins after what it waited for', () => {
  const steps = stepsOf({ ...cold(-5), queueMs: 0 });
  assert.deepEqual(
    steps.filter(({ name }) => name === 'sandbox' || name === 'handler').map(({ atMs }) => atMs),
    [-5, 3],
  );
});

const bars: [what: string, atMs: number, ms: number, drawn: string][] = [
  ['from the beginning', 0, 5, '     █████'],
  ['later', 3, 2, '        ██'],
  ['over before the request came', -5, 2, '░░'],
  ['across its arrival', -2, 4, '   ░░██'],
  ['too short for a cell', 1, 0.1, '      ▏'],
  ['nothing', 1, 0, '      '],
];
for (const [what, atMs, ms, drawn] of bars) {
  test(`a bar: ${what}`, () => {
    assert.equal(barOf({ name: 'x', atMs, ms, prepaidMs: 0 }, -5, 5, 10), drawn);
  });
}

test('a request without any length still has its rows', () => {
  const rows = waterfall({ ...warm, totalMs: 0, durationMs: 0, queueMs: 0 }, 10);
  assert.deepEqual(
    rows.map(([name]) => name),
    ['queue', 'handler', 'answer'],
  );
});
