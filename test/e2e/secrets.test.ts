/** A secret's whole life on a real platform, and everything that was written meanwhile. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { processTree } from '../../bench/processes.ts';
import { sendLoad } from '../../bench/steady-load.ts';
import { runSwiftlet } from '../cli/run-swiftlet.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { needsRoot } from './needs.ts';
import { killRole, runFolderOf } from './platform-processes.ts';
import { roleOf } from './role-processes.ts';
import { filesWith, processesThatShow, valuesInMemory } from './secret-traces.ts';

const hash = (value: string): string => createHash('sha256').update(value).digest('hex');
const fresh = (): string => `s3-${randomBytes(18).toString('base64url')}`;
const values = { password: fresh(), next: fresh(), key: `-----BEGIN-----\n${fresh()}\n${fresh()}\n-----END-----` };
/** All that must be found nowhere. */
const all = [values.password, values.next, ...values.key.split('\n').slice(1, 3)];

const source = `
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
const hash = (value) => createHash('sha256').update(value).digest('hex');
const ways = {
  hash: () => ({ password: hash(process.env.PASSWORD), key: hash(readFileSync(process.env.KEY, 'utf8')), path: process.env.KEY }),
  print: () => { console.log(process.env); console.error(new Error('no connection to ' + process.env.PASSWORD)); return 'printed'; },
  throw: () => { throw new Error(JSON.stringify(process.env)); },
  abort: () => process.abort(),
  crash: () => { setImmediate(() => { throw new Error('late ' + process.env.PASSWORD); }); return new Promise(() => {}); },
  memory: () => { const all = []; for (;;) all.push(Buffer.alloc(1e7, process.env.PASSWORD)); },
  slow: () => new Promise((resolve) => setTimeout(resolve, 700, hash(process.env.PASSWORD))),
};
export const handler = (event) => (ways[event.rawPath.slice(1)] ?? (() => hash(process.env.PASSWORD)))();
`;
const config = { secrets: { PASSWORD: { secret: 'password' }, KEY: { secret: 'key', as: 'file' as const } } };

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
});
after(() => e2e[Symbol.asyncDispose]());

const swiftlet = (input: string, ...args: string[]) => {
  const { apiUrl, token, home } = e2e.platform;
  return runSwiftlet(args, { SWIFTLET_API_URL: apiUrl, SWIFTLET_TOKEN: token, SWIFTLET_HOME: home }, { input });
};
async function api(path: string): Promise<string> {
  const response = await fetch(`${e2e.platform.apiUrl}${path}`, { headers: { authorization: `Bearer ${e2e.platform.token}` } });
  return response.text();
}

test('a function finds its secrets: a variable, and a file in memory', async () => {
  for (const [name, value] of [
    ['password', values.password],
    ['key', values.key],
  ] as const) {
    const { code, stderr } = await swiftlet(`${value}\n`, 'secret', 'set', name);
    assert.equal(code, 0, stderr);
  }
  await e2e.publish('user', source, config);
  const { json } = await e2e.call('/user/hash');
  assert.deepEqual([json['password'], json['key']], [hash(values.password), hash(values.key)]);
  await e2e.publish('stranger', 'export const handler = () => process.env;');
  const { text } = await e2e.call('/stranger/');
  assert.ok(!all.some((value) => text.includes(value)));
});

test('a function that prints its environment, throws it, or dies of it gives nothing away', async () => {
  assert.equal((await e2e.call('/user/print')).text, '"printed"');
  const answers = await Promise.all(['throw', 'crash', 'abort', 'memory'].map((way) => e2e.call(`/user/${way}`)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [502, 502, 502, 502],
  );
  for (const { text } of answers) for (const value of all) assert.ok(!text.includes(value), text);
  await e2e.publish('broken', 'throw new Error("no connection to " + process.env.PASSWORD);', config);
  assert.match(String((await e2e.call('/broken/')).json['detail']), /no connection to \*\*\*/);
  const log = await eventually(
    () => e2e.log('user'),
    (records) => records.filter(({ report }) => report !== undefined).length >= 6,
  );
  assert.ok(
    log.some(({ message }) => String(message).includes("PASSWORD: '***'")),
    'it was printed, and masked',
  );
});

test('a rotation reaches running instances without a failed request, and without one that waits', async () => {
  await e2e.publish('busy', source, { ...config, concurrency: 50 });
  await e2e.call('/busy/');
  const load = sendLoad(`${e2e.platform.gatewayUrl}/busy/`, 150);
  const slow = e2e.call('/busy/slow');
  await eventually(
    () => load.seen(),
    (seen) => seen > 50,
  );
  const { code, stdout, stderr } = await swiftlet(values.next, 'secret', 'rotate', 'password');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /has its version 2\. All instances that run have it/);
  const before = load.seen();
  await eventually(
    () => load.seen(),
    (seen) => seen > before + 50,
  );
  const { failures, cold } = await load.stop();
  assert.deepEqual([failures, cold], [[], 0]);
  assert.equal((await slow).text, JSON.stringify(hash(values.password)), 'what was under way ended where it was');
  assert.equal((await e2e.call('/busy/')).text, JSON.stringify(hash(values.next)));
  assert.equal((await e2e.call('/user/hash')).json['password'], hash(values.next));
});

test('a restart of control, and of the agent, changes nothing of it; the root key can be rotated meanwhile', async () => {
  await killRole(e2e.platform, 'control');
  const { code, stdout } = await swiftlet('', 'secret', 'rotate', '--root-key');
  assert.deepEqual([code, /2 secrets are wrapped with it/.test(stdout)], [0, true]);
  await killRole(e2e.platform, 'agent');
  await e2e.publish('after', source, config);
  assert.deepEqual((await e2e.call('/after/hash')).json['password'], hash(values.next));
  const path = join(e2e.platform.home, 'root-key');
  assert.deepEqual([statSync(path).mode & 0o777, readFileSync(path, 'utf8').split('\n').length], [0o600, 2]);
});

test('what is used is not removed, what is missing is not deployed', async () => {
  const removed = await swiftlet('', 'secret', 'remove', 'password');
  assert.deepEqual([removed.code, /"after", "broken", "busy", "user"/.test(removed.stderr)], [1, true]);
  await assert.rejects(e2e.publish('lost', source, { secrets: { A: { secret: 'nothing' } } }), /422.*swiftlet secret set nothing/);
});

test('no file, answer, environment, command line, core dump or other process has a secret', { skip: needsRoot }, async () => {
  const { home, pid, logPath } = e2e.platform;
  const answers = await Promise.all(
    Object.entries((JSON.parse(await api('/openapi.json')) as { paths: Record<string, object> }).paths)
      .filter(([, item]) => 'get' in item)
      .map(([path]) =>
        api(path.replaceAll(/\{(name|secret)\}/g, (_, what) => (what === 'name' ? 'user' : 'password')).replaceAll(/\{\w+\}/g, 'default')),
      ),
  );
  assert.ok(answers.length > 15 && answers.some((text) => text.includes('swiftlet_')), 'they were asked');
  for (const text of answers) for (const value of all) assert.ok(!text.includes(value), text.slice(0, 300));

  assert.deepEqual(filesWith(home, all), []);
  assert.deepEqual(filesWith(runFolderOf(0, home), all), []);
  assert.ok(filesWith(home, ['s-ecret-that-nobody-has']).length === 0 && existsSync(logPath));
  assert.deepEqual(processesThatShow(all), []);

  const tree = processTree(pid);
  for (const { pid: one } of tree) {
    const limit = /^Max core file size +(\d+)/m.exec(readFileSync(`/proc/${one}/limits`, 'utf8'))?.[1];
    assert.equal(limit, '1', `process ${one} could leave its memory behind`);
  }
  assert.deepEqual(
    readdirSync(home).filter((name) => name.startsWith('core')),
    [],
  );

  const rootKey = readFileSync(join(home, 'root-key'), 'utf8').trim();
  const inMemoryOf = (one: number) => valuesInMemory(one, [...all, rootKey]);
  for (const role of ['gateway', 'relay', 'events']) assert.deepEqual(inMemoryOf(roleOf(pid, role)), [], `${role} has a secret`);
  const ofAgent = inMemoryOf(roleOf(pid, 'agent'));
  assert.ok(ofAgent.includes(values.next), 'this finds it where it has to be');
  assert.ok(!ofAgent.includes(rootKey), 'the agent has the root key');
  assert.equal((await e2e.call('/stranger/')).status, 200);
  const [stranger] = await e2e.platform.api.instances('stranger');
  assert.deepEqual(inMemoryOf(stranger?.pid ?? assert.fail('it has none')), [], 'another function’s instance has a secret');
});

test('everything that was done is in the audit records, and the chain holds', async () => {
  const { code, stdout } = await swiftlet('', 'audit', '--verify');
  assert.deepEqual([code, /records are intact/.test(stdout)], [0, true], stdout);
  const records = (await swiftlet('', 'audit', '--json', '--lines', '1000')).stdout;
  for (const action of [
    'PUT /v1/secrets/:secret',
    'POST /v1/secrets/:secret/rotate',
    'POST /v1/root-key/rotate',
    'PUT /v1/functions/:name',
  ])
    assert.ok(records.includes(`"action":"${action}"`), action);
  assert.ok(records.includes('"code":"SecretInUse"') && records.includes('"code":"SecretMissing"'));
});

test('a root key of the environment is control’s alone: no role inherits it', { skip: needsRoot }, async () => {
  const key = randomBytes(32).toString('hex');
  await using other = await openE2e({ poolSize: 0, environment: { SWIFTLET_ROOT_KEY: key } });
  const { apiUrl, token, pid, home } = other.platform;
  const response = await fetch(`${apiUrl}/v1/security`, { headers: { authorization: `Bearer ${token}` } });
  const { rootKey } = (await response.json()) as { rootKey: { source: string; id: string } };
  assert.equal(rootKey.source, 'environment');
  assert.ok(!existsSync(join(home, 'root-key')) && filesWith(home, [key]).length === 0);
  const shown = processesThatShow([key]).map((path) => Number(path.split('/')[2]));
  assert.deepEqual(shown, [pid], 'of all processes the supervisor’s own environment has it, for root to read');
});
