/** Usage on disk: it adds up over restarts, whoever dies, and is bounded. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { pino } from 'pino';
import { UsageStore } from '../../src/relay/usage-store.ts';
import { tempFolder } from '../control/temp-folder.ts';
import { eventually } from '../e2e/functions.ts';

const log = pino({ level: 'silent' });
const today = '2026-03-04';
const now = () => Date.parse(`${today}T12:00:00Z`);
const counts = {
  day: today,
  warm: 3,
  thawed: 2,
  awakened: 0,
  provisioned: 1,
  cold: 1,
  billedMs: 40,
  mebibyteMs: 5_120,
  platformMs: 1.5,
  prepaidMs: 30.25,
};
const all = { tenant: 'default', from: '2000-01-01', limit: 100 };

test('counts add up by function and day, over restarts, and for each tenant apart', (t) => {
  const path = join(tempFolder(t), 'usage.sqlite');
  for (let round = 0; round < 2; round++) {
    using store = new UsageStore(path, now, log);
    store.add('default', 'one', counts);
    store.add('default', 'one', counts);
    store.add('default', 'one', { ...counts, day: '2026-03-03' });
    store.add('default', 'another', counts);
    store.add('other', 'one', counts);
  }
  using store = new UsageStore(path, now, log);
  const rows = store.read(all);
  assert.deepEqual(
    rows.map(({ function: name, day, warm }) => [name, day, warm]),
    [
      ['another', today, 6],
      ['one', today, 12],
      ['one', '2026-03-03', 6],
    ],
  );
  assert.deepEqual(rows[1], {
    function: 'one',
    day: today,
    warm: 12,
    thawed: 8,
    awakened: 0,
    provisioned: 4,
    cold: 4,
    billedMs: 160,
    mebibyteMs: 20_480,
    platformMs: 6,
    prepaidMs: 121,
  });
  assert.equal(store.read({ ...all, function: 'one', from: today }).length, 1);
  assert.equal(store.read({ ...all, limit: 2 }).length, 2);
});

test('what was counted before thawed and provisioned ones were told apart stays', (t) => {
  const path = join(tempFolder(t), 'usage.sqlite');
  using earlier = new DatabaseSync(path);
  earlier.exec(`CREATE TABLE usage (
    tenant TEXT NOT NULL, function TEXT NOT NULL, day TEXT NOT NULL,
    warm INTEGER NOT NULL, cold INTEGER NOT NULL, billedMs REAL NOT NULL, mebibyteMs REAL NOT NULL, platformMs REAL NOT NULL, prepaidMs REAL NOT NULL,
    PRIMARY KEY (tenant, day, function)) STRICT, WITHOUT ROWID;
    INSERT INTO usage VALUES ('default', 'one', '${today}', 5, 1, 10, 1280, 1, 2)`);
  using store = new UsageStore(path, now, log);
  store.add('default', 'one', counts);
  const [row] = store.read(all);
  assert.deepEqual([row?.warm, row?.thawed, row?.provisioned, row?.cold, row?.billedMs], [8, 2, 1, 2, 50]);
});

test('what was read is on disk: a process that dies then loses none of it', (t) => {
  const path = join(tempFolder(t), 'usage.sqlite');
  const killed = new UsageStore(path, now, log);
  killed.add('default', 'one', counts);
  assert.equal(killed.read(all)[0]?.warm, 3);
  // Never closed, as after a kill.
  using next = new UsageStore(path, now, log);
  assert.equal(next.read(all)[0]?.warm, 3);
  killed[Symbol.dispose]();
});

test('what nobody reads is on disk within a second or so', async (t) => {
  const path = join(tempFolder(t), 'usage.sqlite');
  using store = new UsageStore(path, now, log);
  store.add('default', 'one', counts);
  using other = new UsageStore(path, now, log);
  const rows = await eventually(
    () => other.read(all),
    ({ length }) => length > 0,
  );
  assert.equal(rows[0]?.warm, 3);
});

test('days of more than a year ago go', (t) => {
  using store = new UsageStore(join(tempFolder(t), 'usage.sqlite'), now, log);
  store.add('default', 'one', { ...counts, day: '2024-12-31' });
  store.add('default', 'one', { ...counts, day: '2025-03-04' });
  assert.deepEqual(
    store.read(all).map(({ day }) => day),
    ['2025-03-04'],
  );
});

test('what cannot be written waits until it can', (t) => {
  const folder = join(tempFolder(t), 'later');
  using store = new UsageStore(join(folder, 'usage.sqlite'), now, log);
  store.add('default', 'one', counts);
  assert.throws(() => store.read(all), { code: 'Unavailable' });
  store.add('default', 'one', counts);
  mkdirSync(folder);
  assert.equal(store.read(all)[0]?.warm, 6);
});

test('a file that is no database is told, and left as it is', (t) => {
  const path = join(tempFolder(t), 'usage.sqlite');
  writeFileSync(path, 'something else that is long enough to be no empty database'.repeat(20));
  using store = new UsageStore(path, now, log);
  store.add('default', 'one', counts);
  assert.throws(() => store.read(all), /usage\.sqlite cannot be read.*move it away/);
});
