/** When timers run, and what is wrong with those that do not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { momentMs, nextRunMs, timerFault } from '../../src/model/schedule.ts';
import { type Timer, timerSchema } from '../../src/model/timer.ts';

const timer = (given: object): Timer => timerSchema.parse(given);
const at = (time: string): number => Date.parse(time);
const since = at('2026-01-01T00:00:10Z');

const rows: readonly (readonly [what: string, given: object, after: string, next: string | undefined])[] = [
  ['a rate counts from when it was first seen', { kind: 'rate', everyMs: 60_000 }, '2026-01-01T00:00:10Z', '2026-01-01T00:01:10Z'],
  ['and keeps to that', { kind: 'rate', everyMs: 60_000 }, '2026-01-01T05:00:10Z', '2026-01-01T05:01:10Z'],
  ['between its runs, too', { kind: 'rate', everyMs: 60_000 }, '2026-01-01T05:00:09.999Z', '2026-01-01T05:00:10Z'],
  [
    'a rate with a start runs at it',
    { kind: 'rate', everyMs: 3_600_000, start: '2026-01-02T00:00:00Z' },
    '2026-01-01T00:00:00Z',
    '2026-01-02T00:00:00Z',
  ],
  [
    'and at each multiple after it',
    { kind: 'rate', everyMs: 3_600_000, start: '2026-01-02T00:00:00Z' },
    '2026-01-02T00:00:00Z',
    '2026-01-02T01:00:00Z',
  ],
  ['at its end it runs', { kind: 'rate', everyMs: 60_000, end: '2026-01-01T00:01:10Z' }, '2026-01-01T00:00:10Z', '2026-01-01T00:01:10Z'],
  ['after it, it does not', { kind: 'rate', everyMs: 60_000, end: '2026-01-01T00:01:09Z' }, '2026-01-01T00:00:10Z', undefined],
  [
    'a cron at its start',
    { kind: 'cron', expression: '0 9 * * *', start: '2026-02-01T09:00:00Z' },
    '2026-01-01T00:00:00Z',
    '2026-02-01T09:00:00Z',
  ],
  ['a cron after its end', { kind: 'cron', expression: '0 9 * * *', end: '2026-01-01T08:00:00Z' }, '2026-01-01T00:00:00Z', undefined],
  [
    'once, in its zone',
    { kind: 'once', at: '2026-07-01T09:00:00', timeZone: 'Europe/Berlin' },
    '2026-01-01T00:00:00Z',
    '2026-07-01T07:00:00Z',
  ],
  ['once, over', { kind: 'once', at: '2026-07-01T09:00:00Z' }, '2026-07-01T09:00:00Z', undefined],
];
for (const [what, given, after, next] of rows) {
  test(what, () => assert.equal(nextRunMs(timer(given), at(after), since), next === undefined ? undefined : at(next)));
}

test('a time with an offset is a moment, one without is what the clock of its zone shows', () => {
  assert.equal(momentMs('2026-07-01T09:00:00+03:00', 'Europe/Berlin'), at('2026-07-01T06:00:00Z'));
  assert.equal(momentMs('2026-03-29T02:30:00', 'Europe/Berlin'), at('2026-03-29T01:30:00Z'), 'in an hour that is left out');
  assert.equal(momentMs('2026-10-25T02:30:00', 'Europe/Berlin'), at('2026-10-25T00:30:00Z'), 'in an hour that comes twice');
});

const faults: readonly (readonly [given: object, member: string | undefined, what?: RegExp])[] = [
  [{ kind: 'cron', expression: '0 9 * * *', timeZone: 'Europe/Berlin' }, undefined],
  [{ kind: 'once', at: '1999-01-01T00:00:00Z' }, undefined],
  [{ kind: 'cron', expression: '0 9 * * *', timeZone: 'Europe/Atlantis' }, 'timeZone', /Atlantis/],
  [{ kind: 'once', at: '2026-01-01T00:00:00', timeZone: 'nowhere' }, 'timeZone', /nowhere/],
  [{ kind: 'cron', expression: 'often' }, 'expression', /"often" is no cron expression: it has 1 fields/],
  [{ kind: 'cron', expression: '0 0 30 2 *' }, 'expression', /never comes/],
  [{ kind: 'rate', everyMs: 1_000, start: '2026-01-02T00:00:00Z', end: '2026-01-01T00:00:00Z' }, 'end', /before the start/],
  [{ kind: 'cron', expression: '0 9 * * *', start: '2026-01-01T10:00:00Z', end: '2026-01-01T11:00:00Z' }, 'end', /no run/],
];
for (const [given, member, what] of faults) {
  test(`${JSON.stringify(given)} ${member === undefined ? 'is fine' : `is wrong: ${member}`}`, () => {
    const fault = timerFault(timer(given));
    assert.equal(fault?.member, member);
    if (what !== undefined) assert.match(fault?.what ?? '', what);
  });
}

test('what is no timer is refused by its shape', () => {
  for (const given of [
    { kind: 'cron' },
    { kind: 'rate', everyMs: 999 },
    { kind: 'rate', everyMs: 60_000, at: '2026-01-01T00:00:00Z' },
    { kind: 'once', at: 'tomorrow' },
    { kind: 'once', at: '2026-02-30T00:00:00Z' },
    { kind: 'once', at: '2026-02-03T00:00:00Z', missed: 'all' },
    { kind: 'cron', expression: '* '.repeat(200) },
    { kind: 'rate', everyMs: 60_000, jitterMs: 3_600_001 },
    { kind: 'never' },
  ])
    assert.ok(!timerSchema.safeParse(given).success, JSON.stringify(given));
});
