import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import { sourcesTable } from '../../src/cli/sources-table.ts';

const unknown = { function: 'orders', name: 'incoming', kind: 'jetstream', state: 'running', held: 20, working: 10 } as const;
const running = { ...unknown, lag: 3 };
const shown = (...args: Parameters<typeof sourcesTable>) => stripVTControlCharacters(sourcesTable(...args));

test('sources are shown with their state and lag', () => {
  assert.match(shown([running]), /orders +incoming +jetstream +running +3 +10 of 20/);
});

test('what stands in the way of one is shown whole, without what a terminal would obey', () => {
  const error = { code: 'SourceMissing', message: 'no stream \u001b[31mORDERS; make it' };
  const text = shown([{ ...running, state: 'broken', error, retryAt: '2026-01-01T00:00:00.000Z' }]);
  assert.match(text, /broken.*SourceMissing/);
  assert.match(text, /incoming: no stream .*ORDERS; make it \(again at 2026-01-01T00:00:00.000Z\)/);
  assert.ok(!text.includes('\u001b[31mORDERS'));
});

test('a lag that nobody knows is said, and that the event log is away', () => {
  assert.match(shown([unknown]), /not known/);
  assert.match(shown(undefined), /the event log is away/);
});
