import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { eventually } from '../e2e/functions.ts';
import { assertProblem, type ControlUnderTest, startUnderTest } from './control-under-test.ts';
import { FakeRootKeys, keyOf } from './fake-root-keys.ts';
import { tempFolder } from './temp-folder.ts';

const value = 'correct horse battery staple';
const referring = (secret: string) => ({ secrets: { PASSWORD: { secret } } });

const set = (control: ControlUnderTest, name: string, to = value) => control.put(`/v1/secrets/${name}`, { value: to });
const rotate = (control: ControlUnderTest, name: string, to: string) =>
  control.call(`/v1/secrets/${name}/rotate`, { method: 'POST', body: JSON.stringify({ value: to }) });
const remove = (control: ControlUnderTest, path: string) => control.call(path, { method: 'DELETE' });
const deploy = async (control: ControlUnderTest, name: string, config: object = {}) =>
  control.put(`/v1/functions/${name}`, { digest: await control.bundle(), config });

/** What an agent, or the events role, knows at last, by name. */
const told = (control: ControlUnderTest, who: 'secrets' | 'eventSecrets' = 'secrets'): Map<string, string> => {
  const known = new Map<string, string>();
  for (const { isFirst, put, drop } of control.roles[who]) {
    if (isFirst) known.clear();
    for (const { name } of drop) known.delete(name);
    for (const one of put) known.set(one.name, `${one.version} ${one.value}`);
  }
  return known;
};
const untilTold = (control: ControlUnderTest, wanted: Record<string, string>) =>
  eventually(
    () => Object.fromEntries(told(control)),
    (seen) => JSON.stringify(seen) === JSON.stringify(wanted),
  );

describe('secrets in the API', () => {
  it('are set, rotated and removed, and no answer has their values', async (t) => {
    const control = await startUnderTest(t);
    const answers = [await set(control, 'db'), await set(control, 'db'), await rotate(control, 'db', 'another value')];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 200, 200],
    );
    assert.deepEqual(
      answers.map(({ json }) => json['version']),
      [1, 1, 2],
    );
    answers.push(await control.call('/v1/secrets'), await control.call('/v1/secrets/db'), await control.call('/metrics'));
    answers.push(await remove(control, '/v1/secrets/db'), await control.call('/v1/audit'));
    for (const { text } of answers) assert.ok(!text.includes(value) && !text.includes('another value'));
    assertProblem(await control.call('/v1/secrets/db'), 404, 'SecretNotFound', /swiftlet secret list/);
    assertProblem(await rotate(control, 'db', value), 404, 'SecretNotFound');
    assert.equal((await set(control, 'db')).json['version'], 3, 'a number is never given twice');
  });

  it('with another value are not set but rotated', async (t) => {
    const control = await startUnderTest(t);
    await set(control, 'db');
    assertProblem(await set(control, 'db', 'something else'), 409, 'SecretExists', /swiftlet secret rotate db/);
  });

  it('that are none are refused with the place, and without what was sent', async (t) => {
    const control = await startUnderTest(t);
    const wrong: [string, RegExp][] = [
      ['tiny123', /at least 8 bytes/],
      ['x'.repeat(16 * 1024 + 1), /at most 16384 bytes/],
      ['nul\0inside it', /control characters.*Base64/],
      ['half \ud800 pairs', /control characters/],
    ];
    for (const [bad, says] of wrong) {
      const answer = await set(control, 'db', bad);
      assertProblem(answer, 400, 'BadRequest', says, 'value');
      assert.ok(!answer.text.includes(bad));
    }
    assertProblem(await set(control, 'd.b'), 400, 'NameInvalid');
    const raw = await control.call('/v1/secrets/db', { method: 'PUT', body: value, type: 'application/json' });
    assertProblem(raw, 400, 'BadRequest');
    assert.ok(!raw.text.includes('horse'), 'what is no JSON is not quoted');
    const misnamed = await control.put('/v1/secrets/db', { [value]: 'x' });
    assert.equal(misnamed.status, 400);
  });

  it('are missing at a deploy: 422 with the remedy; used: 409 with the functions', async (t) => {
    const control = await startUnderTest(t);
    const config = { secrets: { A: { secret: 'db' }, B: { secret: 'tls', as: 'file' } } };
    assertProblem(
      await deploy(control, 'hello', config),
      422,
      'SecretMissing',
      /"hello" refers to the secrets "db", "tls", which are not set; set them first: swiftlet secret set db/,
      'config.secrets',
    );
    await set(control, 'db');
    assertProblem(await deploy(control, 'hello', config), 422, 'SecretMissing', /the secret "tls", which is not set; set it first/);
    await set(control, 'tls');
    assert.equal((await deploy(control, 'hello', config)).status, 201);
    await deploy(control, 'world', referring('db'));
    assertProblem(await remove(control, '/v1/secrets/db'), 409, 'SecretInUse', /used by the functions "hello", "world"/);
    assert.deepEqual((await control.call('/v1/secrets/db')).json['functions'], ['hello', 'world']);
    await remove(control, '/v1/functions/hello');
    await remove(control, '/v1/functions/world');
    assert.equal((await remove(control, '/v1/secrets/db')).status, 204);
  });

  it('that a way back leads to are used; an older version cannot come back without them', async (t) => {
    const control = await startUnderTest(t);
    await set(control, 'db');
    await deploy(control, 'hello', referring('db'));
    await deploy(control, 'hello', { timeoutMs: 1_000 });
    assertProblem(await remove(control, '/v1/secrets/db'), 409, 'SecretInUse');
    await deploy(control, 'hello', { timeoutMs: 2_000 });
    assert.equal((await remove(control, '/v1/secrets/db')).status, 204);
    const back = await control.call('/v1/functions/hello/rollback', { method: 'POST', body: JSON.stringify({ version: 1 }) });
    assertProblem(back, 422, 'SecretMissing', /version 1 of function "hello" refers to the secret "db"/);
  });

  it('are no variable of the environment, too', async (t) => {
    const control = await startUnderTest(t);
    await set(control, 'db');
    const both = { environment: { PASSWORD: 'x' }, ...referring('db') };
    assertProblem(
      await deploy(control, 'hello', both),
      400,
      'ManifestInvalid',
      /PASSWORD is in "environment" already/,
      'config.secrets.PASSWORD',
    );
    assertProblem(await deploy(control, 'hello', { secrets: { SWIFTLET_X: { secret: 'db' } } }), 400, 'ManifestInvalid');
  });
});

describe('whose secrets they are', () => {
  const tokenFor = async (control: ControlUnderTest, tenant: string, change: object = {}) => {
    const body = JSON.stringify({ name: 'test', role: 'developer', ...change });
    const { json, status } = await control.call('/v1/tokens', { method: 'POST', body, headers: { 'x-swiftlet-tenant': tenant } });
    assert.equal(status, 201, JSON.stringify(json));
    return String(json['token']);
  };

  it('another tenant’s are not there, and the same name is another secret', async (t) => {
    const control = await startUnderTest(t);
    for (const tenant of ['acme', 'evil']) assert.equal((await control.put(`/v1/tenants/${tenant}`, {})).status, 201);
    const [acme, evil] = [await tokenFor(control, 'acme'), await tokenFor(control, 'evil')];
    const as = (token: string, path: string, method = 'GET', body?: object) =>
      control.call(path, { method, token, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    assert.equal((await as(acme, '/v1/secrets/db', 'PUT', { value })).status, 201);
    assert.deepEqual((await as(evil, '/v1/secrets')).json['secrets'], []);
    for (const method of ['GET', 'DELETE']) assertProblem(await as(evil, '/v1/secrets/db', method), 404, 'SecretNotFound');
    assert.equal((await as(evil, '/v1/secrets/db', 'PUT', { value: 'their own value' })).status, 201);
    assertProblem(await as(evil, '/v1/root-key/rotate', 'POST', {}), 403, 'Forbidden');
    assertProblem(await as(evil, '/v1/audit'), 403, 'Forbidden');
    const viewer = await tokenFor(control, 'acme', { role: 'viewer' });
    assert.equal((await as(viewer, '/v1/secrets/db')).status, 200);
    assertProblem(await as(viewer, '/v1/secrets/db/rotate', 'POST', { value }), 403, 'Forbidden');

    const operator = await tokenFor(control, 'acme', { role: 'operator' });
    const seen = (await as(operator, '/v1/audit')).json['records'] as { tenant: string }[];
    assert.ok(seen.length > 0 && seen.every(({ tenant }) => tenant === 'acme'), 'of the records a tenant sees its own');
    assertProblem(await as(operator, '/v1/security'), 403, 'Forbidden');
    assertProblem(await as(operator, '/v1/audit/verification'), 403, 'Forbidden');
  });

  it('who may change one function only gives it no secret that it did not have', async (t) => {
    const control = await startUnderTest(t);
    await set(control, 'db');
    await set(control, 'tls');
    await deploy(control, 'hello', referring('db'));
    const digest = await control.bundle();
    const token = await tokenFor(control, 'default', { functions: ['hello'] });
    const put = (config: object) => control.call('/v1/functions/hello', { method: 'PUT', token, body: JSON.stringify({ digest, config }) });
    assertProblem(await put(referring('tls')), 403, 'Forbidden');
    assert.equal((await put({ ...referring('db'), timeoutMs: 1_000 })).status, 200);
  });
});

describe('secrets on their way to an agent', () => {
  it('are handed out as functions refer to them, and taken back when none does', async (t) => {
    const control = await startUnderTest(t);
    await set(control, 'db');
    await set(control, 'unused');
    await untilTold(control, {});
    await deploy(control, 'hello', referring('db'));
    await untilTold(control, { db: `1 ${value}` });
    await rotate(control, 'db', 'the next value');
    assert.equal(
      told(control).get('db'),
      '2 the next value',
      'the agent has it when the answer comes: what runs with the old one is counted from then on',
    );
    await remove(control, '/v1/functions/hello');
    await untilTold(control, {});
  });

  it('reach the events role when a source or a destination of a function names them, and no other', async (t) => {
    const control = await startUnderTest(t);
    for (const name of ['db', 'hook-key']) await set(control, name);
    const destinations = { success: { kind: 'webhook', url: 'https://hooks.test/', secretVariable: 'SIGNS' } };
    await deploy(control, 'hello', { secrets: { PASSWORD: { secret: 'db' }, SIGNS: { secret: 'hook-key' } }, destinations });
    const known = () => Object.fromEntries(told(control, 'eventSecrets'));
    await eventually(known, (seen) => JSON.stringify(seen) === JSON.stringify({ 'hook-key': `1 ${value}` }));
    await rotate(control, 'hook-key', 'the next value');
    assert.deepEqual(known(), { 'hook-key': '2 the next value' }, 'it has it when the answer comes');
    await deploy(control, 'hello', referring('db'));
    await eventually(known, (seen) => JSON.stringify(seen) === '{}');
  });

  it('are not in what is published, nor in any answer about the function', async (t) => {
    const control = await startUnderTest(t);
    control.roles.subscribe();
    await set(control, 'db');
    await deploy(control, 'hello', referring('db'));
    const state = await eventually(
      () => control.roles.state,
      (seen) => (seen?.functions.size ?? 0) > 0,
    );
    assert.ok(JSON.stringify([...(state?.functions ?? [])]).includes('"secret":"db"'));
    const seen = [JSON.stringify([...(state?.functions ?? [])]), (await control.call('/v1/functions/hello?reveal=true')).text];
    for (const text of seen) assert.ok(!text.includes(value));
  });

  it('are told anew to an agent that has restarted', async (t) => {
    const control = await startUnderTest(t);
    await set(control, 'db');
    await deploy(control, 'hello', referring('db'));
    await untilTold(control, { db: `1 ${value}` });
    await control.roles.stop('agent');
    control.roles.secrets.length = 0;
    await control.roles.restart('agent');
    await untilTold(control, { db: `1 ${value}` });
    assert.equal(control.roles.secrets[0]?.isFirst, true);
  });
});

describe('secrets at rest', () => {
  const restart = async (t: TestContext, control: ControlUnderTest, rootKeys: FakeRootKeys) => {
    await control.stop();
    return startUnderTest(t, control.folder, {}, rootKeys);
  };
  const everyFile = (folder: string): Buffer =>
    Buffer.concat(
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
    );

  it('are in no file, and come back with the key', async (t) => {
    const keys = new FakeRootKeys();
    const control = await startUnderTest(t, tempFolder(t), {}, keys);
    await set(control, 'db');
    await rotate(control, 'db', 'the next value');
    await deploy(control, 'hello', referring('db'));
    const again = await restart(t, control, keys);
    await untilTold(again, { db: '2 the next value' });
    await again.stop();
    const bytes = everyFile(join(control.folder, 'control'));
    for (const text of [value, 'the next value', Buffer.from(value).toString('base64').slice(0, 20)])
      assert.ok(!bytes.includes(text), text);
    assert.ok(bytes.includes('"secret":"db"'), 'this would find it');
  });

  it('are wrapped anew when the root key is rotated, live', async (t) => {
    const keys = new FakeRootKeys();
    const control = await startUnderTest(t, tempFolder(t), {}, keys);
    await set(control, 'db');
    await set(control, 'tls');
    await deploy(control, 'hello', referring('db'));
    const again = () => control.call('/v1/root-key/rotate', { method: 'POST', body: '{}' });
    const [{ status, json }] = await Promise.all([again(), again(), again()]);
    assert.deepEqual([status, json['rewrapped'], json['source']], [200, 2, 'file']);
    assert.notEqual(json['id'], keyOf(1).id);
    assert.equal(keys.ring.keys.length, 1, 'the old key is gone');
    await untilTold(await restart(t, control, keys), { db: `1 ${value}` });
  });

  it('are wrapped anew at the start when the operator has put a new key in front', async (t) => {
    const keys = new FakeRootKeys();
    keys.ring = { source: 'environment', keys: [keyOf(1)] };
    const control = await startUnderTest(t, tempFolder(t), {}, keys);
    await set(control, 'db');
    await deploy(control, 'hello', referring('db'));
    assertProblem(await control.call('/v1/root-key/rotate', { method: 'POST', body: '{}' }), 400, 'BadRequest');
    keys.ring = { source: 'environment', keys: [keyOf(2), keyOf(1)] };
    const between = await restart(t, control, keys);
    assert.deepEqual(((await between.call('/v1/security')).json['rootKey'] as { older: string[] }).older, [keyOf(1).id]);
    keys.ring = { source: 'environment', keys: [keyOf(2)] };
    await untilTold(await restart(t, between, keys), { db: `1 ${value}` });
  });

  it('keep control from starting without their key, and it says which', async (t) => {
    const keys = new FakeRootKeys();
    const control = await startUnderTest(t, tempFolder(t), {}, keys);
    await set(control, 'db');
    await control.stop();
    keys.ring = { source: 'file', keys: [keyOf(9)] };
    await assert.rejects(startUnderTest(t, control.folder, {}, keys), {
      code: 'Unavailable',
      message: new RegExp(`root key ${keyOf(1).id}, which is not there`),
    });
  });
});
