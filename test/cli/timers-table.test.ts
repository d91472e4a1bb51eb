import assert from 'node:assert/strict';
import { stripVTControlCharacters } from 'node:util';
import { test } from 'node:test';
import { timersTable } from '../../src/cli/timers-table.ts';
import { timerSchema } from '../../src/model/timer.ts';

const timers = {
  nightly: timerSchema.parse({ kind: 'cron', expression: '30 2 * * *', timeZone: 'Europe/Berlin' }),
  often: timerSchema.parse({ kind: 'rate', everyMs: 1_500 }),
  launch: timerSchema.parse({ kind: 'once', at: '2026-03-01T09:00:00' }),
};
const shown = (...args: Parameters<typeof timersTable>) => stripVTControlCharacters(timersTable(...args));

test('timers are shown with their next and last run', () => {
  const text = shown(timers, [
    { name: 'nightly', nextRunAt: '2026-01-02T01:30:00.000Z' },
    { name: 'launch', lastRunAt: '2026-03-01T09:00:00.000Z' },
  ]);
  assert.match(text, /nightly +cron 30 2 \* \* \* +Europe\/Berlin +2026-01-02T01:30:00.000Z +never/);
  assert.match(text, /often +every 1.5 s +UTC +never +never/);
  assert.match(text, /launch +once at 2026-03-01T09:00:00 +UTC +never +2026-03-01T09:00:00.000Z/);
});

test('without the event log they are shown all the same', () => {
  assert.match(shown(timers, undefined), /nightly .*not known +not known[^]*the event log is away/);
});
