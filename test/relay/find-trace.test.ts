/** One request's report, found among all logs. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { findLine } from '../../src/relay/find-line.ts';
import { LogStore } from '../../src/relay/log-store.ts';
import { answerQuestion, type RecordBooks, takeNotice } from '../../src/relay/record-books.ts';
import { UsageStore } from '../../src/relay/usage-store.ts';
import { tempFolder } from '../control/temp-folder.ts';

const log = pino({ level: 'silent' });
const size = { fileBytes: 300_000, files: 3 };
const lineOf = (id: string, filler = '') => `{"time":"t","level":"report","requestId":"${id}","version":1,"message":"${filler}"}\n`;

function open(t: TestContext): RecordBooks {
  const folder = tempFolder(t);
  const usage = new UsageStore(join(folder, 'usage.sqlite'), () => Date.now(), log);
  t.after(() => usage[Symbol.dispose]());
  return { logs: new LogStore(join(folder, 'logs'), size, log), kept: new LogStore(join(folder, 'reports'), size, log), usage };
}

const tenant = 'default';
const trace = (books: RecordBooks, requestId: string, name?: string) =>
  answerQuestion(books, 'trace', { tenant, requestId, ...(name === undefined ? {} : { function: name }) });

test('it is found in whatever function’s log it lies, and in what outlasts the logs', async (t) => {
  const books = open(t);
  const ids = Array.from({ length: 500 }, () => randomUUID());
  const kept = randomUUID();
  const [old = '', last = ''] = [ids[300], ids.at(-1)];
  for (const [at, id] of ids.entries()) {
    takeNotice(books, 'append', { tenant, function: at % 2 === 0 ? 'even' : 'odd', text: lineOf(id, 'é'.repeat(at)) });
    if (at % 100 === 0) await books.logs.close();
  }
  takeNotice(books, 'keep', { tenant, function: 'even', text: lineOf(kept) });
  for (const [id, name] of [
    [old, 'even'],
    [kept, 'even'],
    [last, 'odd'],
  ] as const) {
    const { found } = (await trace(books, id)) as { found: { function: string; line: string } };
    assert.equal(found.function, name);
    assert.equal((JSON.parse(found.line) as { requestId: string }).requestId, id);
    assert.deepEqual(await trace(books, id, name), { found });
  }
  assert.deepEqual(await trace(books, last, 'even'), { found: undefined });
  assert.deepEqual(await trace(books, randomUUID()), { found: undefined });
});

test('a log that cannot be read is an error, and not a request that never was', async (t) => {
  const folder = tempFolder(t);
  const logs = new LogStore(join(folder, 'logs'), size, log);
  const find = (name?: string) => logs.find(tenant, name, Buffer.from('x'), AbortSignal.timeout(1_000));
  assert.equal(await find(), undefined, 'there is no log yet');
  assert.equal(await find('none'), undefined);
  mkdirSync(join(folder, 'logs', tenant), { recursive: true });
  writeFileSync(join(folder, 'logs', tenant, 'broken'), 'a file where the folder of logs should be');
  await assert.rejects(find('broken'), { code: 'ENOTDIR' });
  await assert.rejects(logs.last(tenant, 'broken', 1), { code: 'ENOTDIR' });
});

test('what a function prints is never taken for a report', async (t) => {
  const books = open(t);
  const id = randomUUID();
  books.logs.append(tenant, 'forger', { time: 't', level: 'info', requestId: id, message: lineOf(id) });
  assert.deepEqual(await trace(books, id), { found: undefined });
});

test('a removed function takes its reports along, not what it used', async (t) => {
  const books = open(t);
  const id = randomUUID();
  const usage = { day: '2999-01-01', warm: 1, cold: 0, billedMs: 1, mebibyteMs: 128, platformMs: 0, prepaidMs: 0 };
  takeNotice(books, 'append', { tenant, function: 'gone', text: lineOf(id), usage });
  takeNotice(books, 'keep', { tenant, function: 'gone', text: lineOf(id) });
  await answerQuestion(books, 'forget', { tenant, function: 'gone' });
  assert.deepEqual(await trace(books, id), { found: undefined });
  assert.deepEqual(await answerQuestion(books, 'kept', { tenant, function: 'gone', last: 10 }), { lines: [] });
  const { rows } = (await answerQuestion(books, 'usage', { tenant, from: '2026-01-01', limit: 10 })) as { rows: { function: string }[] };
  assert.deepEqual(
    rows.map((row) => row.function),
    ['gone'],
  );
});

test('it is found wherever it lies, also across the edge of what is read at once', async (t) => {
  const folder = tempFolder(t);
  const id = randomUUID();
  const line = lineOf(id).trim();
  const edge = 256 * 1024;
  for (const before of [0, 1, edge - 60, edge - 1, edge, 3 * edge - 60]) {
    const path = join(folder, String(before));
    const filler = before === 0 ? '' : `${'x'.repeat(before - 1)}\n`;
    writeFileSync(path, `${filler}${line}\nnext\n`);
    assert.equal(await findLine(path, Buffer.from(id), AbortSignal.timeout(5_000)), line, String(before));
    writeFileSync(path, `${filler}${line}`);
    assert.equal(await findLine(path, Buffer.from(id), AbortSignal.timeout(5_000)), line, 'without a newline at its end');
  }
  assert.equal(await findLine(join(folder, 'nowhere'), Buffer.from(id), AbortSignal.timeout(5_000)), undefined);
});

test('a search ends when it is told to', async (t) => {
  const books = open(t);
  const folder = tempFolder(t);
  const store = new LogStore(folder, size, log);
  store.appendLines(tenant, 'f', lineOf(randomUUID()));
  await store.close();
  const path = join(folder, tenant, 'f', '00000000.jsonl');
  await assert.rejects(findLine(path, Buffer.from('nothing'), AbortSignal.abort()), { name: 'AbortError' });
  await assert.rejects(answerQuestion(books, 'unheard-of', {}), { code: 'NotFound' });
});
