/** `swiftlet secret` and `swiftlet audit`, against a platform that only pretends. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CliUnderTest, openCli } from './cli-under-test.ts';
import { sendJson, sendProblem } from './fake-platform.ts';
import { runSwiftlet } from './run-swiftlet.ts';

let cli: CliUnderTest;
before(async () => {
  cli = await openCli();
});
after(() => cli[Symbol.asyncDispose]());

const value = 'correct horse battery';
const secret = {
  name: 'db',
  version: 2,
  createdAt: '2026-01-02T03:04:05.000Z',
  changedAt: '2026-01-02T03:04:05.000Z',
  functions: ['hello'],
};
const withInput = (input: string, ...args: string[]) => runSwiftlet(args, cli.environment, { input, cwd: cli.folder });

test('a value comes from standard input or a file, and is never printed', async () => {
  cli.platform.answer('PUT /v1/secrets/db', (response) => sendJson(response, secret));
  const set = await withInput(`${value}\n`, 'secret', 'set', 'db');
  assert.deepEqual([set.code, set.stderr], [0, '']);
  assert.match(set.stdout, /The secret db is set\. .*secrets: \{ VARIABLE: db \}/);
  await writeFile(join(cli.folder, 'value'), value);
  cli.platform.answer('PUT /v1/secrets/db', (response) => sendProblem(response, 'SecretExists', 'it has another value; rotate it'));
  const again = await cli.swiftlet('secret', 'set', 'db', '--file', 'value');
  assert.deepEqual([again.code, /rotate it/.test(again.stderr)], [1, true]);
  for (const { stdout, stderr } of [set, again]) assert.ok(!(stdout + stderr).includes('horse'));
});

test('a value among the arguments is refused', async () => {
  const { code } = await cli.swiftlet('secret', 'set', 'db', value);
  assert.equal(code, 2);
});

test('a rotation waits until no instance has the old value', async () => {
  cli.platform.answer('POST /v1/secrets/db/rotate', (response) => sendJson(response, secret));
  cli.platform.answer('GET /v1/secrets/db', (response) => {
    sendJson(response, { ...secret, instances: { current: 1, older: 2 } });
    cli.platform.answer('GET /v1/secrets/db', (next) => sendJson(next, { ...secret, instances: { current: 3, older: 0 } }));
  });
  const { code, stdout } = await withInput(value, 'secret', 'rotate', 'db');
  assert.equal(code, 0);
  assert.match(stdout, /has its version 2\. All instances that run have it \(3\)\./);
});

test('a rotation to a value that nothing starts with fails, and says that the old ones go on', async () => {
  cli.platform.answer('POST /v1/secrets/db/rotate', (response) => sendJson(response, secret));
  cli.platform.answer('GET /v1/secrets/db', (response) =>
    sendJson(response, { ...secret, instances: { current: 0, older: 1, failure: 'wrong password' } }),
  );
  const { code, stderr } = await withInput(value, 'secret', 'rotate', 'db');
  assert.equal(code, 1);
  assert.match(stderr, /the old ones go on: wrong password/);
});

test('the root key is rotated by its flag, and nothing else is with it', async () => {
  cli.platform.answer('POST /v1/root-key/rotate', (response) => sendJson(response, { source: 'file', id: 'abcd1234', rewrapped: 7 }));
  const { code, stdout } = await cli.swiftlet('secret', 'rotate', '--root-key');
  assert.deepEqual([code, stdout], [0, 'The root key is abcd1234 now; 7 secrets are wrapped with it. No instance was touched.\n']);
  assert.equal((await cli.swiftlet('secret', 'rotate')).code, 2);
  assert.equal((await cli.swiftlet('secret', 'rotate', 'db', '--root-key')).code, 2);
});

test('secrets are listed with what uses them, and removed', async () => {
  cli.platform.answer('GET /v1/secrets', (response) => sendJson(response, { secrets: [secret] }));
  assert.match((await cli.swiftlet('secret', 'list')).stdout, /db +2 +2026-01-02T03:04:05.000Z +hello/);
  cli.platform.answer('DELETE /v1/secrets/db', (response) => response.writeHead(204).end());
  assert.match((await cli.swiftlet('secret', 'remove', 'db')).stdout, /The secret db is removed/);
});

const record = {
  seq: 7,
  time: '2026-01-02T03:04:05.000Z',
  tenant: 'default',
  actor: { kind: 'token', id: 'ab\u001b[31m' },
  source: '10.0.0.1',
  action: 'PUT /v1/secrets/:secret',
  target: '/v1/secrets/db',
  requestId: 'r',
  result: { status: 409, code: 'SecretExists' },
  previous: '0'.repeat(64),
  hash: '1'.repeat(64),
};

test('audit prints a line for each record, for people and for machines, and no order to a terminal', async () => {
  cli.platform.answer('GET /v1/audit', (response) => sendJson(response, { records: [record], next: 7 }));
  const { stdout } = await cli.swiftlet('audit');
  assert.match(
    stdout,
    /^ +7 2026-01-02T03:04:05.000Z token ab\\e\[31m from 10\.0\.0\.1, default: PUT \/v1\/secrets\/db 409 SecretExists\n$/,
  );
  cli.platform.answer('GET /v1/audit', (response) => sendJson(response, { records: [record], next: 7 }));
  assert.deepEqual(JSON.parse((await cli.swiftlet('audit', '--json')).stdout), record);
});

test('audit --verify names the record that was changed, and fails', async () => {
  const anchor = { seq: 0, hash: '0'.repeat(64) };
  const verified = { at: record.time, intact: true, records: 7, anchor, head: { seq: 7, hash: 'f'.repeat(64) }, breaks: [] };
  cli.platform.answer('GET /v1/audit/verification', (response) => sendJson(response, verified));
  const good = await cli.swiftlet('audit', '--verify');
  assert.deepEqual([good.code, /intact: 7 records, 1 to 7; the hash of the last is f{64}/.test(good.stdout)], [0, true]);
  const broken = { ...verified, intact: false, breaks: [{ where: 'store', seq: 3, what: 'it was changed' }] };
  cli.platform.answer('GET /v1/audit/verification', (response) => sendJson(response, broken));
  const bad = await cli.swiftlet('audit', '--verify');
  assert.deepEqual([bad.code, /in the store, record 3: it was changed/.test(bad.stdout)], [1, true]);
});

test('audit --follow goes on from what it has', async () => {
  cli.platform.answer('GET /v1/audit', (response) => {
    sendJson(response, { records: [record], next: 7 });
    cli.platform.answer('GET /v1/audit', (next) => sendProblem(next, 'Unavailable', 'gone'));
  });
  const { code, stdout } = await cli.swiftlet('audit', '--follow', '--json');
  assert.deepEqual([code, JSON.parse(stdout)], [4, record]);
});
