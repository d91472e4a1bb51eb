/** A full disk below each part of SWIFTLET_HOME: a clear error, nothing lost, and everything works again when there is room. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { hasSysAdmin } from '../../src/agent/isolation.ts';
import { bundleMediaType } from '../../src/build/bundle.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { lambdaOf, refusal } from './lambda-under-test.ts';
import { childrenOf } from './role-processes.ts';

const mebibyte = 1024 * 1024;
const skip = hasSysAdmin() ? false : 'only root can mount a small disk to fill';
const answers = (mark: string) => `export const handler = () => { console.log('said ${mark}'); return '${mark}'; };`;

/** Puts a small disk over a folder. @returns what takes it away */
function mountSmall(folder: string, bytes: number): Disposable {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=755`, 'swiftlet-test', folder]);
  return { [Symbol.dispose]: () => execFileSync('umount', ['--lazy', folder]) };
}

/** A platform whose whole data folder lies on a small disk. */
async function onSmallDisk(t: TestContext, bytes: number): Promise<E2e> {
  const disk = mkdtempSync(join(tmpdir(), 'swiftlet-disk-'));
  const mount = mountSmall(disk, bytes);
  t.after(() => {
    mount[Symbol.dispose]();
    rmdirSync(disk);
  });
  const usual = process.env['TMPDIR'];
  process.env['TMPDIR'] = disk;
  try {
    const e2e = await openE2e();
    // Before the disk goes.
    t.after(() => e2e[Symbol.asyncDispose]());
    return e2e;
  } finally {
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
  }
}

/** Takes all the room there is. @returns what gives it back */
function fill(folder: string): Disposable {
  const path = join(folder, 'filler');
  const fd = openSync(path, 'w');
  for (let size = mebibyte; size >= 1; size = Math.floor(size / 16)) {
    try {
      for (const piece = Buffer.alloc(size); ; ) writeSync(fd, piece);
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
  closeSync(fd);
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

const messagesOf = async (e2e: E2e, name: string) => (await e2e.log(name)).map((record) => String(record['message']));
const metric = async (e2e: E2e, name: string) =>
  Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(await e2e.platform.api.metrics())?.[1]);

test('the whole data folder: functions answer, nothing new is taken, nothing old is lost', { skip }, async (t) => {
  const e2e = await onSmallDisk(t, 48 * mebibyte);
  const { platform } = e2e;
  await e2e.publish('warm', answers('warm'));
  await e2e.publish('placed', answers('placed'));
  await e2e.call('/warm/');
  await eventually(
    () => messagesOf(e2e, 'warm'),
    (messages) => messages.includes('said warm'),
  );
  const roles = childrenOf(platform.pid);
  const lambda = lambdaOf(e2e);
  const client = lambda.client(await lambda.key('--role', 'invoker', '--function', 'warm'));
  t.after(() => client.destroy());
  const laterByLambda = () => client.send(new InvokeCommand({ FunctionName: 'warm', InvocationType: 'Event', Payload: '{}' }));
  const later = () => e2e.call('/warm/', { method: 'POST', body: 'x'.repeat(100_000), headers: { prefer: 'respond-async' } });
  {
    using held = new DisposableStack();
    held.use(fill(platform.home));
    const again = await e2e.call('/warm/');
    assert.deepEqual([again.text, again.headers.get('x-swiftlet-start')], ['"warm"', 'warm']);
    const cold = await e2e.call('/placed/');
    assert.deepEqual([cold.text, cold.headers.get('x-swiftlet-start')], ['"placed"', 'cold']);
    await assert.rejects(e2e.publish('refused', answers('refused')), /507.*StorageFull.*free some space/);
    await assert.rejects(e2e.publish('warm', answers('changed')), /507.*StorageFull/);
    assert.equal((await e2e.call('/refused/')).status, 404);
    const unstored = await Promise.all([later(), later(), later()]);
    assert.deepEqual(
      unstored.map(({ status, json }) => [status, json['code']]),
      unstored.map(() => [503, 'EventNotStored']),
    );
    assert.deepEqual((await refusal(laterByLambda())).slice(0, 2), ['ServiceUnavailableException', 503]);
    await eventually(
      () => metric(e2e, 'swiftlet_log_lost_bytes_total'),
      (lost) => lost > 0,
    );
    assert.equal((await e2e.call('/warm/')).text, '"warm"');
    assert.deepEqual(readdirSync(join(platform.home, 'control', 'blobs', 'staging')), []);
  }
  await e2e.publish('warm', answers('changed'));
  assert.equal((await e2e.call('/warm/')).text, '"changed"');
  const stored = await later();
  assert.equal(stored.status, 202, stored.text);
  assert.equal((await laterByLambda()).StatusCode, 202);
  await e2e.publish('refused', answers('taken'));
  assert.equal((await e2e.call('/refused/')).text, '"taken"');
  const messages = await eventually(
    () => messagesOf(e2e, 'warm'),
    (all) => all.includes('said changed'),
  );
  assert.ok(messages.includes('said warm'), 'what was stored before is gone');
  assert.deepEqual(childrenOf(platform.pid), roles, 'a role was started again');
});

test('the agent’s code cache: the function says why, others answer, and it works once there is room', { skip }, async () => {
  await using e2e = await openE2e();
  await e2e.publish('warm', answers('warm'));
  await e2e.call('/warm/');
  const code = join(e2e.platform.home, 'agent', 'code');
  // Over what is placed already: the warm function has its code mounted.
  using held = new DisposableStack();
  held.use(mountSmall(code, 2 * mebibyte));
  const full = held.use(fill(code));
  await e2e.publish('large', { 'index.mjs': answers('large'), 'ballast.txt': 'x'.repeat(mebibyte) });
  const refused = await e2e.call('/large/');
  assert.deepEqual([refused.status, refused.json['code']], [507, 'StorageFull'], refused.text);
  assert.match(String(refused.json['detail']), /disk is full.*free some space/);
  assert.equal((await e2e.call('/warm/')).text, '"warm"');
  assert.deepEqual(
    // The folder of the tenant is there, and nothing in it.
    readdirSync(code, { recursive: true }).filter((name) => name !== 'filler'),
    ['default'],
  );
  full[Symbol.dispose]();
  const answer = await eventually(
    () => e2e.call('/large/'),
    ({ status }) => status === 200,
  );
  assert.equal(answer.text, '"large"');
  assert.match(
    readFileSync(join(e2e.platform.home, 'bench.log'), 'utf8'),
    /"function":"large".*could not be placed|could not be placed.*"function":"large"/,
  );
});

test('a client that dies in the middle of an upload leaves no version, no artifact and nothing staged', async () => {
  await using e2e = await openE2e();
  const staging = join(e2e.platform.home, 'control', 'blobs', 'staging');
  const { hostname, port } = new URL(e2e.platform.apiUrl);
  const digest = 'a'.repeat(64);
  const sockets = Array.from({ length: 5 }, () => connect(Number(port), hostname));
  for (const socket of sockets) {
    socket.on('error', () => undefined);
    socket.write(
      `PUT /v1/artifacts/${digest} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${e2e.platform.token}\r\nContent-Type: ${bundleMediaType}\r\nContent-Length: ${20 * mebibyte}\r\n\r\n`,
    );
    socket.write(randomBytes(5 * mebibyte));
  }
  await eventually(
    () => readdirSync(staging).length,
    (count) => count === sockets.length,
  );
  for (const socket of sockets) socket.destroy();
  await eventually(
    () => readdirSync(staging),
    (left) => left.length === 0,
  );
  const api = async (method: string, path: string, body?: string) =>
    fetch(`${e2e.platform.apiUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${e2e.platform.token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
    });
  assert.equal((await api('HEAD', `/v1/artifacts/${digest}`)).status, 404);
  assert.equal((await api('PUT', '/v1/functions/half', JSON.stringify({ digest }))).status, 404);
  assert.equal((await api('GET', '/v1/functions/half')).status, 404);
  assert.equal((await e2e.call('/half/')).status, 404);
});
