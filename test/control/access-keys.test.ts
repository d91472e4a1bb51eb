/** Access keys: what control keeps of them, and what it tells gateways. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { accessKeyIdOf, dayKeyOf, signatureDayOf } from '../../src/model/access-key.ts';
import { accessKeysSchema } from '../../src/wire/gateway-calls.ts';
import { stateSocketOf } from '../../src/role/role-config.ts';
import { subscribeState } from '../../src/wire/state-subscriber.ts';
import { type ControlUnderTest, startUnderTest } from './control-under-test.ts';
import { tempFolder } from './temp-folder.ts';

interface Key {
  readonly id: string;
  readonly token: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

async function asked(control: ControlUnderTest, path: string, body: object): Promise<Key> {
  const { status, json, text } = await control.call(path, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(status, 201, text);
  return json as unknown as Key;
}
const createKey = (control: ControlUnderTest, more: object = {}) =>
  asked(control, '/v1/tokens', { name: 'ci', role: 'invoker', accessKey: true, ...more });

/** A gateway, as far as keys are concerned: what it was told last. */
function gateway(t: TestContext, folder: string) {
  const today = signatureDayOf(Date.now());
  let keys = new Map<string, string>();
  let changed: () => void = () => undefined;
  const subscriber = subscribeState(
    stateSocketOf(join(folder, 'run')),
    'gateway',
    () => changed(),
    (method, body) => {
      if (method !== 'access keys') return;
      keys = new Map(accessKeysSchema.parse(body).keys.map(({ id, days }) => [id, days[today] ?? '']));
      changed();
    },
  );
  t.after(() => subscriber[Symbol.asyncDispose]());
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      changed = () => {
        if (holds()) resolve();
      };
      changed();
    });
  return { until, ids: () => [...keys.keys()].toSorted(), keyOf: (id: string) => keys.get(id), state: () => subscriber.state };
}

it('are tokens that gateways can verify signatures of, of some days', async (t) => {
  const folder = tempFolder(t);
  const control = await startUnderTest(t, folder);
  const gate = gateway(t, folder);
  const key = await createKey(control);
  assert.equal(key.accessKeyId, accessKeyIdOf(key.id));
  assert.equal(key.token, `swt_${key.id}_${key.secretAccessKey}`);
  await gate.until(() => gate.ids().includes(key.id) && gate.state()?.tokens.has(key.id) === true);
  assert.equal(gate.keyOf(key.id), dayKeyOf(key.secretAccessKey, signatureDayOf(Date.now())).toString('base64'));
  const { json } = await control.call('/v1/tokens');
  const [listed] = json['tokens'] as Record<string, unknown>[];
  assert.deepEqual([listed?.['accessKeyId'], listed?.['secretAccessKey'], listed?.['token']], [key.accessKeyId, undefined, undefined]);
  const plain = await asked(control, '/v1/tokens', { name: 'plain', role: 'viewer' });
  assert.deepEqual([plain.accessKeyId, plain.secretAccessKey], [undefined, undefined]);
});

it('are known again after a restart, and no file has one in clear', async (t) => {
  const folder = tempFolder(t);
  const first = await startUnderTest(t, folder);
  const key = await createKey(first);
  await first.stop();
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  assert.ok(files.some(({ name }) => name === 'store.sqlite'));
  for (const { parentPath, name } of files) assert.ok(!readFileSync(join(parentPath, name), 'latin1').includes(key.secretAccessKey), name);
  await startUnderTest(t, folder);
  const gate = gateway(t, folder);
  await gate.until(() => gate.ids().includes(key.id));
  assert.equal(gate.keyOf(key.id), dayKeyOf(key.secretAccessKey, signatureDayOf(Date.now())).toString('base64'));
});

it('end when their token is revoked', async (t) => {
  const folder = tempFolder(t);
  const control = await startUnderTest(t, folder);
  const gate = gateway(t, folder);
  const [gone, stays] = [await createKey(control), await createKey(control)];
  await gate.until(() => gate.ids().length === 2);
  assert.equal((await control.call(`/v1/tokens/${gone.id}`, { method: 'DELETE' })).status, 200);
  await gate.until(() => gate.ids().length === 1 && gate.state()?.tokens.has(gone.id) === false);
  assert.deepEqual(gate.ids(), [stays.id]);
});

it('are rotated: another one in the place of each, at once or after a while', async (t) => {
  const folder = tempFolder(t);
  const control = await startUnderTest(t, folder);
  const gate = gateway(t, folder);
  const first = await createKey(control, { functions: ['hello'] });
  const second = await asked(control, `/v1/tokens/${first.id}/rotate`, { keepMs: 60_000 });
  assert.notEqual(second.accessKeyId, first.accessKeyId);
  const listed = async () => (await control.call('/v1/tokens')).json['tokens'] as Record<string, unknown>[];
  const [before, after] = await listed();
  assert.deepEqual(
    [after?.['id'], after?.['role'], after?.['functions'], after?.['expiresAt']],
    [second.id, 'invoker', ['hello'], undefined],
  );
  assert.ok(Math.abs(Date.parse(String(before?.['expiresAt'])) - Date.now() - 60_000) < 10_000);
  await gate.until(() => gate.ids().length === 2);
  const third = await asked(control, `/v1/tokens/${second.id}/rotate`, {});
  await gate.until(() => !gate.ids().includes(second.id));
  assert.deepEqual((await listed()).map(({ id }) => id).toSorted(), [first.id, third.id].toSorted());
  const missing = await control.call('/v1/tokens/0123456789abcdef/rotate', { method: 'POST', body: '{}' });
  assert.deepEqual([missing.status, missing.json['code']], [404, 'TokenNotFound']);
});
