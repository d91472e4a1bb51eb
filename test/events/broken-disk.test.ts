/** A disk that fails under the event log: what was not written is not acknowledged, and the role starts anew on what is there. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { GroupCommit } from '../../src/events/group-commit.ts';
import { SqliteEventLog } from '../../src/events/sqlite-event-log.ts';
import { socketOf } from '../../src/role/role-config.ts';
import { openDatabase } from '../../src/role/sqlite-database.ts';
import { connectCalls } from '../../src/wire/calls.ts';
import { tempFolder } from '../control/temp-folder.ts';
import { eventOf } from './event-log.contract.ts';
import { startRole } from './role-under-test.ts';

const body = Buffer.alloc(1_000, 7);

test('writes that fail are refused, the role ends, and the next one has all that was acknowledged', async (t) => {
  const folder = tempFolder(t);
  const path = join(folder, 'events', 'events.sqlite');
  const child = await startRole(t, folder);
  const exited = once(child, 'exit');
  await using calls = connectCalls(socketOf(join(folder, 'run'), 'events'), 'gateway');
  const acknowledged: string[] = [];
  const accept = async () => {
    const { tenant, function: name, request } = eventOf(0);
    const id = randomUUIDv7();
    await calls.ask('accept', { id, tenant, function: name, request, body: body.toString('base64') }, 1_000);
    acknowledged.push(id);
  };
  for (let at = 0; at < 20; at += 1) await accept();
  // No file of the role may grow any more: a write beyond this is an I/O error to SQLite.
  execFileSync('prlimit', ['--pid', String(child.pid), `--fsize=${statSync(`${path}-wal`).size + 10_000}`]);
  await assert.rejects(async () => {
    for (let at = 0; at < 200; at += 1) await accept();
  });
  assert.deepEqual(await exited, [1, null]);
  const log = new SqliteEventLog(path, {
    maxBytes: Number.POSITIVE_INFINITY,
    now: () => performance.now(),
    committed: () => undefined,
    broken: assert.ifError,
  });
  t.after(() => log[Symbol.asyncDispose]());
  assert.ok(acknowledged.length >= 20 && acknowledged.length < 220);
  for (const id of acknowledged) assert.deepEqual(Buffer.from((await log.payload('default', id))?.body ?? []), body, `${id} is lost`);
});

/** SQLite's code for an fsync that failed, and for one that did not get through. */
for (const errcode of [1_034, 4_618]) {
  test(`a sync that fails (${errcode}) is told to each of its group, and breaks the log`, async (t) => {
    const database = new DatabaseSync(':memory:');
    t.after(() => database.close());
    const broken: unknown[] = [];
    const failing = {
      isOpen: true,
      isTransaction: false,
      exec: (sql: string) => {
        if (sql === 'COMMIT') throw Object.assign(new Error('disk I/O error'), { errcode });
      },
    } as unknown as DatabaseSync;
    await using commits = new GroupCommit({
      database: failing,
      now: () => performance.now(),
      committed: () => assert.fail('it said that it was committed'),
      broken: (error) => broken.push(error),
    });
    const all = await Promise.allSettled([commits.write(() => 1), commits.write(() => 2)]);
    assert.deepEqual([...all.map(({ status }) => status), broken.length], ['rejected', 'rejected', 1]);
  });
}

test('each commit waits for the disk', (t) => {
  const { database } = openDatabase(join(tempFolder(t), 'events.sqlite'), {
    name: 'x',
    applicationId: 1,
    migrations: ['SELECT 1'],
    remedy: '',
  });
  t.after(() => database.close());
  assert.equal(database.prepare('PRAGMA synchronous').get()?.['synchronous'], 2, 'FULL');
  assert.equal(database.prepare('PRAGMA journal_mode').get()?.['journal_mode'], 'wal');
});
