import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { SqliteEventLog } from '../../src/events/sqlite-event-log.ts';
import { eventSchema } from '../../src/events/sqlite-event-schema.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { openDatabase } from '../../src/role/sqlite-database.ts';
import { needsMount, smallDisk } from '../control/small-disk.ts';
import { tempFolder } from '../control/temp-folder.ts';
import { eventLogContract, eventOf, idOf } from './event-log.contract.ts';

const commits: number[] = [];
const openAt = (t: TestContext, path: string, maxBytes = Number.POSITIVE_INFINITY): SqliteEventLog => {
  const means = { maxBytes, now: () => performance.now(), committed: (writes: number) => commits.push(writes), broken: assert.ifError };
  const log = new SqliteEventLog(path, means);
  t.after(() => log[Symbol.asyncDispose]());
  return log;
};

eventLogContract('SQLite', (t) => {
  const path = join(tempFolder(t), 'events.sqlite');
  return Promise.resolve({
    log: openAt(t, path),
    // The first one stays open, as a killed one's file would.
    reopen: () => Promise.resolve(openAt(t, path)),
  });
});

describe('the file of the SQLite event log', () => {
  it('commits what comes together once', async (t) => {
    const log = openAt(t, join(tempFolder(t), 'events.sqlite'));
    commits.length = 0;
    await Promise.all(Array.from({ length: 100 }, (_, at) => log.accept(eventOf(at))));
    assert.deepEqual(commits, [100]);
  });

  it('is on the disk before an event is accepted: another process sees it', async (t) => {
    const path = join(tempFolder(t), 'events.sqlite');
    await openAt(t, path).accept(eventOf(0));
    const other = new DatabaseSync(path, { readOnly: true });
    assert.equal(other.prepare('SELECT count(*) AS n FROM payloads').get()?.['n'], 1);
    other.close();
  });

  it('syncs at every commit', (t) => {
    const path = join(tempFolder(t), 'events.sqlite');
    openAt(t, path);
    const database = new DatabaseSync(path);
    assert.equal(database.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
    database.close();
  });

  it('of the release before is taken over, with the events in it', async (t) => {
    const path = join(tempFolder(t), 'events.sqlite');
    const { database } = openDatabase(path, { ...eventSchema, migrations: eventSchema.migrations.slice(0, 1) });
    const { id, tenant, function: name, request, body } = eventOf(0);
    database
      .prepare("INSERT INTO events VALUES (1, ?, ?, ?, 'waiting', 1, 1, 1, 0, 0, NULL, NULL, NULL, NULL, NULL)")
      .run(id, tenant, name);
    database.prepare('INSERT INTO payloads VALUES (1, ?, ?)').run(JSON.stringify(request), body);
    database.close();
    const log = openAt(t, path);
    const [leased] = await log.lease({ tenant, function: name, way: 'gateway', limit: 9, nowMs: 10, untilMs: 20 });
    assert.deepEqual([leased?.id, leased?.hops], [id, 0]);
    assert.deepEqual((await log.payload(tenant, id))?.request, request);
  });

  it('is refused when it is damaged, and left as it is', (t) => {
    const path = join(tempFolder(t), 'events.sqlite');
    writeFileSync(path, 'certainly no database, but long enough to be looked at '.repeat(100));
    assert.throws(() => openAt(t, path), { message: /the event log .* cannot be used: .*Restore the file/ });
  });

  it('refuses events while the disk is full, and takes them again when there is room', async (t) => {
    const folder = smallDisk(t, 1024 * 1024);
    if (folder === undefined) {
      t.skip(needsMount);
      return;
    }
    const log = openAt(t, join(folder, 'events.sqlite'));
    const accepted: number[] = [];
    const body = Buffer.alloc(100_000);
    await assert.rejects(
      async () => {
        for (let at = 0; at < 20; at += 1) {
          await log.accept(eventOf(at, { body }));
          accepted.push(at);
        }
      },
      (error) => error instanceof SwiftletError && error.code === 'StorageFull',
    );
    assert.ok(accepted.length > 0);
    for (const at of accepted) assert.equal((await log.payload('default', idOf(at)))?.body.length, body.length);
    assert.equal((await log.counts())[0]?.count, accepted.length);
  });

  it('takes no more events than it may hold, and goes on with those that it has', async (t) => {
    const log = openAt(t, join(tempFolder(t), 'events.sqlite'), 1_000_000);
    const body = Buffer.alloc(100_000);
    const acceptAll = async () => {
      for (let at = 0; at < 20; at += 1) await log.accept(eventOf(at, { body }));
    };
    await assert.rejects(
      acceptAll,
      (error) => error instanceof SwiftletError && error.code === 'StorageFull' && /EVENT_LOG/.test(error.message),
    );
    const leased = await log.lease({ tenant: 'default', function: 'hello', way: 'gateway', limit: 5, nowMs: 10_000, untilMs: 20_000 });
    assert.equal(leased.length, 5);
    const result = { status: 200, body: '', encoding: 'utf8', isTruncated: false } as const;
    for (const { id, token } of leased) await log.settle(id, token, { kind: 'succeeded', attempts: 1, atMs: 1, result });
    await log.accept(eventOf(99, { body }));
  });

  it('asks its indexes, so that a backlog costs no more than what is asked for', async (t) => {
    const path = join(tempFolder(t), 'events.sqlite');
    const log = openAt(t, path);
    await log.accept(eventOf(0));
    const database = new DatabaseSync(path, { readOnly: true });
    const questions = [
      "SELECT seq FROM events WHERE state = 'waiting' AND is_held = 0 AND tenant = 'a' AND function = 'b' AND way = 'gateway' AND due_ms <= 1 ORDER BY due_ms LIMIT 1",
      "SELECT min(due_ms) FROM events WHERE state = 'waiting' AND is_held = 0 AND due_ms > 1",
      "SELECT min(seq) FROM events WHERE tenant = 'a' AND function = 'b' AND order_key = 'c' AND state IN ('waiting', 'running')",
      "SELECT 1 FROM events WHERE tenant = 'a' AND function = 'b' AND order_key = 'c' AND state IN ('waiting', 'running') LIMIT 1",
      "SELECT id FROM events WHERE state = 'running' AND lease_until_ms <= 1 ORDER BY lease_until_ms LIMIT 1",
      "SELECT id FROM events WHERE state = 'dead-lettered' AND tenant = 'a' AND id > '' ORDER BY id LIMIT 1",
      "SELECT id FROM events WHERE state = 'dead-lettered' AND tenant = 'a' AND function = 'b' AND id > '' ORDER BY id LIMIT 1",
      "SELECT seq FROM events WHERE state IN ('succeeded', 'discarded') AND ended_ms < 1 LIMIT 1",
    ];
    for (const question of questions) {
      const plan = JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${question}`).all());
      assert.match(plan, /SEARCH events USING (COVERING )?INDEX/, question);
      assert.doesNotMatch(plan, /TEMP B-TREE/, question);
    }
    database.close();
  });
});
