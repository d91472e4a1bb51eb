/** Kills at every named point of an event's way, again and again under load: nothing that was accepted is lost. `npm run torture` has 1,000 of them. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SqliteEventLog } from '../../src/events/sqlite-event-log.ts';
import { tempFolder } from '../control/temp-folder.ts';
import { eventOf } from './event-log.contract.ts';
import { clean, judge, type Ledgers } from './ledger/judge.ts';
import { faultsOf, nameOf } from './ledger/kills.ts';
import { openLedgerPlatform, verdictOf } from './ledger/ledger-platform.ts';

const kills = 56;
const few = 50;

test(`${kills} kills at all points: every accepted event ends, once, in its order`, { timeout: 200_000 }, async (t) => {
  await using platform = await openLedgerPlatform(t);
  const died = new Map<string, number>();
  await platform.suffer(faultsOf(kills, Math.random), (fault) => died.set(nameOf(fault), (died.get(nameOf(fault)) ?? 0) + 1));
  assert.deepEqual(await platform.judge(), clean);
  assert.ok(platform.acceptedCount() > kills, `only ${platform.acceptedCount()} were accepted`);
  t.diagnostic(`${platform.acceptedCount()} accepted over ${kills} kills: ${JSON.stringify([...died])}`);
});

/**
 * The negative control: a disk that lies about its syncs loses, when the power goes, what was written last. Here it is the end of the
 * log's write-ahead file. The same ledger that finds nothing wrong after a kill has to find that.
 */
test('a disk that loses what it said it had is found out', async (t) => {
  const folder = tempFolder(t);
  mkdirSync(join(folder, 'events'));
  const path = join(folder, 'events', 'events.sqlite');
  const means = { maxBytes: Number.POSITIVE_INFINITY, now: () => performance.now(), committed: () => undefined, broken: assert.ifError };
  const log = new SqliteEventLog(path, means);
  t.after(() => log[Symbol.asyncDispose]());
  const accepted: string[] = [];
  // So few that none of them has been moved from the write-ahead file to the database.
  for (let at = 0; at < few; at += 1) {
    const event = eventOf(at);
    await log.accept(event);
    accepted.push(event.id);
  }
  /** What the next start finds, when so much of the write-ahead file is on the disk. */
  const afterPowerCut = async (name: string, part: number) => {
    const copy = join(folder, name);
    mkdirSync(join(copy, 'events'), { recursive: true });
    for (const end of ['', '-wal']) copyFileSync(path + end, join(copy, 'events', `events.sqlite${end}`));
    const wal = join(copy, 'events', 'events.sqlite-wal');
    truncateSync(wal, Math.floor(statSync(wal).size * part));
    return verdictOf(copy, accepted, new Set(), []);
  };
  assert.equal((await afterPowerCut('honest', 1)).lost.length, 0);
  const { lost } = await afterPowerCut('lying', 0.5);
  assert.ok(lost.length > few / 4 && lost.length < few, `${lost.length} of ${few} were found to be lost`);
});

const fine: Ledgers = {
  accepted: ['a', 'b'],
  sent: new Set(['0 0', '0 1', '0 2']),
  executions: [
    { id: 'a', sent: '0 0' },
    { id: 'a', sent: '0 0' },
    { id: 'b', sent: '0 1' },
  ],
  find: (id) => ({
    id,
    tenant: 'default',
    function: 'noted',
    state: 'succeeded',
    acceptedMs: 0,
    attempts: 2,
    dueMs: 0,
    endedMs: 1,
    reason: undefined,
    error: undefined,
    result: undefined,
  }),
  attempts: 3,
};
const faults: readonly (readonly [what: keyof typeof clean | 'nothing', change: Partial<Ledgers>])[] = [
  ['nothing', {}],
  ['lost', { find: (id) => (id === 'a' ? undefined : fine.find(id)) }],
  ['unended', { find: (id) => ({ ...(fine.find(id) ?? assert.fail()), state: 'waiting' }) }],
  ['madeUp', { sent: new Set(['0 0']) }],
  ['overtried', { attempts: 1 }],
  ['unexecuted', { executions: [] }],
  ['outOfOrder', { executions: [...fine.executions, { id: 'a', sent: '0 0' }] }],
];
for (const [what, change] of faults) {
  test(`the judge sees: ${what}`, () => {
    const verdict = judge({ ...fine, ...change });
    const seen = Object.entries(verdict).flatMap(([name, ids]) => ((ids as string[]).length > 0 ? [name] : []));
    assert.deepEqual(seen, what === 'nothing' ? [] : [what]);
  });
}
