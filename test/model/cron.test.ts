/** When cron expressions are due, above all where a zone's clock is put forward or back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextCronMs } from '../../src/model/cron.ts';

/** The next times after a moment, each in UTC. */
function nextOnes(expression: string, timeZone: string, after: string, count: number): string[] {
  const times: string[] = [];
  for (let ms: number | undefined = Date.parse(after); times.length < count; ) {
    ms = nextCronMs({ expression, timeZone }, ms);
    if (ms === undefined) break;
    times.push(new Date(ms).toISOString().replace(':00.000Z', 'Z').replace('.000Z', 'Z'));
  }
  return times;
}

const rows: readonly (readonly [what: string, expression: string, timeZone: string, after: string, wanted: readonly string[]])[] = [
  ['five fields', '30 9 * * 1-5', 'UTC', '2026-01-02T09:30Z', ['2026-01-05T09:30Z', '2026-01-06T09:30Z']],
  ['six fields, the seconds first', '*/20 0 12 * * *', 'UTC', '2026-01-01T12:00:20Z', ['2026-01-01T12:00:40Z', '2026-01-02T12:00Z']],
  ['names', '0 0 1 JAN,JUL *', 'UTC', '2026-02-01T00:00Z', ['2026-07-01T00:00Z', '2027-01-01T00:00Z']],
  [
    'a day of the month or a weekday, as cron has it',
    '0 0 13 * FRI',
    'UTC',
    '2026-01-08T12:00Z',
    ['2026-01-09T00:00Z', '2026-01-13T00:00Z'],
  ],
  ['a leap day', '0 0 29 2 *', 'UTC', '2026-01-01T00:00Z', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
  ['strictly after, to the millisecond', '0 * * * *', 'UTC', '2026-01-01T10:00:00.001Z', ['2026-01-01T11:00Z']],
  ['in a zone', '0 9 * * *', 'Asia/Kolkata', '2026-01-01T00:00Z', ['2026-01-01T03:30Z', '2026-01-02T03:30Z']],
  // Berlin, 29 March 2026: 02:00 becomes 03:00 at 01:00 UTC.
  [
    'forward: a named hour that is left out runs when it would be over',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-03-28T00:00Z',
    ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'],
  ],
  [
    'forward: several times left out are one run, together with the one that comes then',
    '0,30 2,3 * * *',
    'Europe/Berlin',
    '2026-03-28T23:00Z',
    ['2026-03-29T01:00Z', '2026-03-29T01:30Z', '2026-03-30T00:00Z'],
  ],
  [
    'forward: what keeps to the pace does so',
    '*/30 * * * *',
    'Europe/Berlin',
    '2026-03-29T00:15Z',
    ['2026-03-29T00:30Z', '2026-03-29T01:00Z', '2026-03-29T01:30Z'],
  ],
  // 25 October 2026: 03:00 becomes 02:00 at 01:00 UTC.
  [
    'back: a named hour that comes twice runs once',
    '30 2 * * *',
    'Europe/Berlin',
    '2026-10-24T12:00Z',
    ['2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  ['back: also when asked in between', '30 2 * * *', 'Europe/Berlin', '2026-10-25T01:10Z', ['2026-10-26T01:30Z']],
  ['back: and when asked at the change itself', '0 2,3 * * *', 'Europe/Berlin', '2026-10-25T01:00Z', ['2026-10-25T02:00Z']],
  [
    'back: what keeps to the pace does so',
    '30 * * * *',
    'Europe/Berlin',
    '2026-10-24T23:45Z',
    ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z'],
  ],
  // The southern half: Sydney, forward on 4 October 2026 at 16:00 UTC the day before, back on 5 April.
  ['forward, in the south', '15 2 * * *', 'Australia/Sydney', '2026-10-02T20:00Z', ['2026-10-03T16:00Z', '2026-10-04T15:15Z']],
  ['back, in the south', '15 2 * * *', 'Australia/Sydney', '2026-04-03T20:00Z', ['2026-04-04T15:15Z', '2026-04-05T16:15Z']],
  // Half an hour: Lord Howe, forward at 15:30 UTC.
  ['a change by half an hour', '15 2 * * *', 'Australia/Lord_Howe', '2026-10-02T20:00Z', ['2026-10-03T15:30Z', '2026-10-04T15:15Z']],
  [
    'a step in a named hour keeps to the pace',
    '*/30 2 * * *',
    'Europe/Berlin',
    '2026-03-28T12:00Z',
    ['2026-03-30T00:00Z', '2026-03-30T00:30Z'],
  ],
];
for (const [what, expression, timeZone, after, wanted] of rows)
  test(what, () => assert.deepEqual(nextOnes(expression, timeZone, after, wanted.length), wanted));

test('over a year of each zone the times go up, and a daily expression has one a day', () => {
  for (const timeZone of ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Africa/Cairo', 'America/Santiago', 'UTC']) {
    for (const hour of [0, 1, 2, 3]) {
      const dates = nextOnes(`30 ${hour} * * *`, timeZone, '2026-01-01T12:00Z', 365).map((time) =>
        new Date(time).toLocaleDateString('sv', { timeZone }),
      );
      assert.equal(new Set(dates).size, 365, `${timeZone} at ${hour}`);
      assert.deepEqual(dates, dates.toSorted());
    }
  }
});

const wrong: readonly (readonly [expression: string, message: RegExp])[] = [
  ['* * * *', /4 fields/],
  ['* * * * * * *', /7 fields/],
  ['0 12 * * ? *', /"\?"/],
  ['12:00 * * * *', /":"/],
  ['@daily * * * *', /"@"/],
  ['61 * * * *', /./],
  ['* * * * NOPE', /./],
  ['a b c d e', /./],
  ['', /fields/],
];
for (const [expression, message] of wrong)
  test(`"${expression}" is no expression`, () => assert.throws(() => nextCronMs({ expression, timeZone: 'UTC' }, 0), { message }));

test('what never comes, comes never, and that is found out soon', () => {
  const startedAt = performance.now();
  for (const expression of ['0 0 30 2 *', '0 0 31 4,6,9,11 *'])
    assert.equal(nextCronMs({ expression, timeZone: 'Europe/Berlin' }, Date.UTC(2026, 0)), undefined);
  assert.ok(performance.now() - startedAt < 10_000);
});
