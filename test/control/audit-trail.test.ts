/** The trail that is bounded: what is let go of leaves a chain that still holds. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { AuditFile } from '../../src/control/audit/audit-file.ts';
import { AuditTrail } from '../../src/control/audit/trail.ts';
import { SqliteStore } from '../../src/control/sqlite-store.ts';
import type { Attempt } from '../../src/model/audit.ts';
import { tempFolder } from './temp-folder.ts';

const attempt = (requestId: string): Attempt => ({
  time: '2026-01-02T03:04:05.000Z',
  tenant: 'default',
  actor: { kind: 'token', id: 'abc' },
  source: '10.0.0.1',
  action: 'PUT /v1/functions/:name',
  target: '/v1/functions/a\u2028b',
  requestId,
});

async function open(t: TestContext, folder: string, kept: number) {
  const store = new SqliteStore(join(folder, 'store.sqlite'));
  const file = await AuditFile.open(join(folder, 'audit'), 1_000);
  let ids = 0;
  const trail = await AuditTrail.open({
    store: store.audit,
    file,
    now: () => 0,
    newId: () => `n-${++ids}`,
    log: pino({ level: 'silent' }),
    kept,
  });
  const close = async () => {
    await trail[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
  };
  t.after(close);
  return { trail, close };
}

test('of many records the newest are kept, the chain begins where the others ended, and that is recorded itself', async (t) => {
  const folder = tempFolder(t);
  const { trail, close } = await open(t, folder, 20);
  for (let at = 0; at < 50; at++) {
    await trail.end(attempt(`r-${at}`), { status: 200 });
    // The copy is written behind; it is to come in several pieces.
    if (at % 5 === 4) await trail.verify();
  }
  const { intact, records, anchor, head, breaks } = await trail.verify();
  assert.deepEqual([intact, breaks], [true, []]);
  assert.ok(records >= 20 && records <= 22, `${records} are kept`);
  const lines = (await trail.lines({ after: 0, limit: 100 })).map(
    (line) => JSON.parse(line) as { seq: number; action: string; note?: string },
  );
  assert.equal(lines[0]?.seq, anchor.seq + 1);
  assert.ok(lines.some(({ action, note }) => action === 'audit trim' && note?.includes('were let go of') === true));
  const files = readdirSync(join(folder, 'audit')).sort();
  assert.ok(files.length < 25 && !files.includes('audit-000000000001.jsonl'), 'whole files go, too');
  assert.ok(readFileSync(join(folder, 'audit', files.at(-1) ?? ''), 'utf8').endsWith('\n'));

  await close();
  const again = await open(t, folder, 20);
  const later = await again.trail.verify();
  assert.deepEqual([later.intact, later.head.seq >= head.seq], [true, true]);
});

test('records of one tenant are told apart from the others', async (t) => {
  const { trail } = await open(t, tempFolder(t), 100);
  await trail.end(attempt('a'), { status: 200 });
  await trail.end({ ...attempt('b'), tenant: 'acme' }, { status: 200 });
  await trail.end(attempt('c'), { status: 200 });
  const own = await trail.lines({ after: 0, limit: 10, tenant: 'acme' });
  assert.deepEqual(
    own.map((line) => (JSON.parse(line) as { seq: number }).seq),
    [2],
  );
  assert.equal(await trail.before(1, 'default'), 1);
  assert.equal(await trail.before(10), 0);
});
