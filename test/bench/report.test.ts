import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allReached, jsonReport, markdownReport, type Report, textReport } from '../../bench/report.ts';
import type { Result } from '../../bench/scenario.ts';

const result: Result = {
  figures: [
    { what: 'p50', value: 3.456, unit: 'ms', samples: 1000, baseline: { name: 'bare Node.js start', value: 23 }, target: { atMost: 0.18 } },
  ],
  isolation: { full: true, detail: 'namespaces' },
  poolSize: 8,
  notes: ['a note'],
};
const scenario = { name: 'cold-full-pool', title: 'cold start from a full pool' };
const machine = { cpu: 'A CPU', cores: 2, memoryGiB: 24, kernel: '6.1', node: 'v26.0.0' };
const reportOf = (outcomes: Report['outcomes']): Report => ({ date: '2026-01-01T00:00:00.000Z', quick: false, machine, outcomes });

test('a report tells figure, baseline, ratio, target, samples, pool and machine', () => {
  const text = textReport(reportOf([{ scenario, result }]));
  for (const part of [
    '3.46 ms',
    'bare Node.js start 23 ms',
    '0.15',
    '≤ 0.18',
    '✔',
    '1000',
    'A CPU',
    'a note',
    'isolation in force: namespaces',
  ])
    assert.ok(text.includes(part), `${part} in ${text}`);
  assert.ok(markdownReport(reportOf([{ scenario, result }])).includes('| cold start from a full pool | p50 | 3.46 ms |'));
});

test('a figure without full isolation is marked and does not count', () => {
  const report = reportOf([{ scenario, result: { ...result, isolation: { full: false, detail: 'missing: scratch limits' } } }]);
  assert.ok(textReport(report).includes('cold-full-pool: DOES NOT COUNT, functions are not fully isolated (missing: scratch limits)'));
  assert.equal(allReached(report), false);
});

test('a scenario that failed is said, and fails the run', () => {
  const report = reportOf([
    { scenario, result },
    { scenario: { name: 'soak', title: 'soak' }, error: 'no platform' },
  ]);
  assert.ok(textReport(report).includes('soak: could not be measured: no platform'));
  assert.equal(allReached(report), false);
  assert.equal(allReached(reportOf([{ scenario, result }])), true);
});

test('JSON has the ratio and the verdict', () => {
  const { outcomes } = JSON.parse(jsonReport(reportOf([{ scenario, result }]))) as {
    outcomes: { result: { counts: boolean; figures: { ratio: number; verdict: string }[] } }[];
  };
  assert.equal(outcomes[0]?.result.counts, true);
  assert.equal(outcomes[0].result.figures[0]?.verdict, 'reached');
  assert.equal(outcomes[0].result.figures[0].ratio.toFixed(2), '0.15');
});
