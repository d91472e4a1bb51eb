/** Several tenants on one platform, by the command line and over HTTP: who reaches what, and what they may take. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Answer, type E2e, eventually, openE2e } from './functions.ts';

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const whoAmI = (who: string) => `
  export const handler = async (event) => {
    if (event.rawQueryString === 'slow') await new Promise((resolve) => setTimeout(resolve, 400));
    return { who: '${who}', authorization: event.headers?.authorization ?? null };
  };`;

let e2e: E2e;
const token: Record<string, string> = {};

/** @param as whose token; undefined: the data folder's */
async function swiftlet(words: readonly string[], as?: string): Promise<string> {
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' };
  const { stdout } = await promisify(execFile)(process.execPath, [cli, ...words], {
    env: as === undefined ? env : { ...env, SWIFTLET_TOKEN: as },
    cwd: e2e.platform.home,
  });
  return stdout.trim();
}
const answerer = async (words: readonly string[], as?: string) => (JSON.parse(await swiftlet(words, as)) as { who: string }).who;
const call = (path: string, given?: string, init: RequestInit = {}): Promise<Answer> =>
  e2e.call(path, {
    ...init,
    headers: { ...(init.headers as Record<string, string>), ...(given === undefined ? {} : { authorization: `Bearer ${given}` }) },
  });

before(async () => {
  e2e = await openE2e();
  for (const tenant of ['acme', 'other']) {
    await swiftlet(['tenant', 'create', tenant]);
    token[tenant] = await swiftlet(['token', 'create', 'ci', '--role', 'developer', '--tenant', tenant]);
    const folder = join(e2e.platform.home, `of-${tenant}`, 'hello');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'index.mjs'), whoAmI(tenant));
    const [deployed] = JSON.parse(await swiftlet(['deploy', folder, '--json'], token[tenant])) as { url: string }[];
    assert.equal(deployed?.url, `${e2e.platform.gatewayUrl}/@${tenant}/hello/`);
  }
  await e2e.publish('hello', whoAmI('default'));
});
after(() => e2e[Symbol.asyncDispose]());

test('each tenant’s function is at its own address; only the first tenant’s are open by themselves', async () => {
  assert.equal((await call('/hello/')).json['who'], 'default');
  const closed = await call('/@acme/hello/');
  assert.deepEqual(
    [closed.status, closed.json['code'], closed.headers.get('www-authenticate')],
    [401, 'Unauthorized', 'Bearer realm="swiftlet"'],
  );
  const answer = await call('/@acme/hello/', token['acme']);
  assert.deepEqual([answer.status, answer.json], [200, { who: 'acme', authorization: null }], 'the function does not see the token');
  const beside = await call('/@acme/hello/', undefined, {
    headers: { 'x-swiftlet-token': token['acme'] ?? '', authorization: 'Bearer its-own' },
  });
  assert.deepEqual(beside.json, { who: 'acme', authorization: 'Bearer its-own' });
  const foreign = await call('/@acme/hello/', token['other']);
  assert.deepEqual([foreign.status, foreign.json['code']], [404, 'FunctionNotFound']);
  assert.equal((await call('/@nobody/hello/')).status, 401);
});

test('the command line is about the token’s own tenant, or the one that is named', async () => {
  assert.equal(await answerer(['invoke', 'hello'], token['acme']), 'acme');
  assert.equal(await answerer(['invoke', 'hello', '--tenant', 'other']), 'other');
  assert.equal(await answerer(['invoke', 'hello']), 'default');
  await assert.rejects(swiftlet(['invoke', 'hello', '--tenant', 'other'], token['acme']), { code: 3 });
  assert.match(await swiftlet(['tenant', 'list'], token['acme']), /^acme /m);
  assert.doesNotMatch(await swiftlet(['tenant', 'list'], token['acme']), /other/);
});

test('no door of the gateway opens by any method to nobody, to another tenant, or for a token in the URL', async () => {
  const accepted = await call('/@acme/hello/', token['acme'], { method: 'POST', headers: { prefer: 'respond-async' } });
  const doors = ['/@acme/hello/', '/_/invoke/@acme/hello', String(accepted.json['statusUrl'])];
  for (const door of doors)
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const statuses = [
        await call(door, undefined, { method }),
        await call(`${door}?token=${token['acme'] ?? ''}&access_token=${token['acme'] ?? ''}`, undefined, { method }),
        await call(door, token['other'], { method }),
      ].map(({ status }) => status);
      assert.deepEqual(statuses.slice(0, 2), [401, 401], `${method} ${door}`);
      assert.ok(statuses[2] === 404 || (statuses[2] === 405 && door.startsWith('/_/events/')), `${method} ${door}: ${statuses[2]}`);
    }
});

test('doctor tells which guards are in force', async () => {
  const shown = await swiftlet(['doctor']).catch((error: unknown) => String((error as { stdout?: string }).stdout));
  assert.match(shown, /^isolation +good +bubblewrap/m);
  assert.match(shown, /^egress +good +(policy|closed)/m);
  assert.match(shown, /^functions open to all +look +1: default\/hello; "url: token" in the manifest closes one/m);
  assert.match(shown, /^tokens +good +\d+, \d+ without an end/m);
  assert.match(shown, /^root key +good +[0-9a-f]+, from a file/m);
  assert.match(shown, /^GATEWAY.*\n1 +good +takes requests/m);
});

test('events of a tenant are delivered to its function, and seen by nobody else', async () => {
  const accepted = await call('/@acme/hello/', token['acme'], { method: 'POST', headers: { prefer: 'respond-async' } });
  assert.equal(accepted.status, 202);
  const path = String(accepted.json['statusUrl']);
  assert.match(path, /^\/_\/events\/@acme\//);
  const ended = await eventually(
    () => call(path, token['acme']),
    ({ json }) => json['state'] === 'succeeded',
  );
  assert.match(JSON.stringify(ended.json['result']), /acme/);
  assert.deepEqual([(await call(path, token['other'])).status, (await call(path)).status], [404, 401]);
  const id = path.slice(path.lastIndexOf('/') + 1);
  assert.match(await swiftlet(['event', id], token['acme']), /succeeded/);
  await assert.rejects(swiftlet(['event', id], token['other']), { code: 3 });
});

test('logs, usage and functions of another tenant are not there', async () => {
  const ask = (path: string, tenant: string) =>
    fetch(e2e.platform.apiUrl + path, { headers: { authorization: `Bearer ${token['other'] ?? ''}`, 'x-swiftlet-tenant': tenant } });
  for (const path of ['/v1/functions', '/v1/functions/hello', '/v1/functions/hello/logs', '/v1/usage', '/v1/dead-letters'])
    assert.equal((await ask(path, 'acme')).status, 404, path);
  const own = (await (await ask('/v1/functions', 'other')).json()) as { functions: { serving: { tenant: string } }[] };
  assert.deepEqual(
    own.functions.map(({ serving }) => serving.tenant),
    ['other'],
  );
});

test('a token that is revoked opens nothing any more, at any door', async () => {
  const made = JSON.parse(await swiftlet(['token', 'create', 'soon gone', '--role', 'invoker', '--tenant', 'acme', '--json'])) as {
    id: string;
    token: string;
  };
  const accepted = await call('/@acme/hello/', made.token, { method: 'POST', headers: { prefer: 'respond-async' } });
  const doors: (() => Promise<number>)[] = [
    async () => (await call('/@acme/hello/', made.token)).status,
    async () => (await call('/_/invoke/hello', made.token, { method: 'POST', body: '{}' })).status,
    async () => (await call(String(accepted.json['statusUrl']), made.token)).status,
    async () => (await fetch(`${e2e.platform.apiUrl}/v1/platform`, { headers: { authorization: `Bearer ${made.token}` } })).status,
  ];
  for (const door of doors) assert.equal(await door(), 200);
  assert.match(await swiftlet(['token', 'list', '--tenant', 'acme']), new RegExp(`${made.id} +soon gone +invoker`));
  await swiftlet(['token', 'revoke', made.id, '--tenant', 'acme']);
  for (const door of doors) assert.equal(await door(), 401);
});

test('a tenant over its quotas is told which; others go on', async () => {
  await swiftlet(['tenant', 'set', 'acme', '--quota', 'concurrency=2', '--quota', 'asyncBacklog=0']);
  const crowd = await Promise.all(Array.from({ length: 6 }, () => call('/@acme/hello/?slow', token['acme'])));
  const refused = crowd.filter(({ status }) => status === 429);
  assert.deepEqual([crowd.filter(({ status }) => status === 200).length, refused.length], [2, 4]);
  for (const { json, headers } of refused)
    assert.deepEqual([json['code'], json['place'], headers.get('retry-after')], ['QuotaExceeded', 'concurrency', '1']);
  assert.equal((await call('/@other/hello/', token['other'])).status, 200);
  const event = await call('/@acme/hello/', token['acme'], { method: 'POST', headers: { prefer: 'respond-async' } });
  assert.deepEqual([event.status, event.json['place']], [429, 'asyncBacklog']);
  await swiftlet([
    'tenant',
    'set',
    'acme',
    '--quota',
    'concurrency=none',
    '--quota',
    'asyncBacklog=none',
    '--quota',
    'requestsPerSecond=3',
  ]);
  const quick = await Promise.all(Array.from({ length: 8 }, () => call('/@acme/hello/', token['acme'])));
  assert.ok(
    quick.some(({ json }) => json['place'] === 'requestsPerSecond'),
    JSON.stringify(quick.map(({ status }) => status)),
  );
  await swiftlet(['tenant', 'set', 'acme', '--quota', 'requestsPerSecond=none', '--quota', 'memoryMiB=128']);
  assert.match(await swiftlet(['tenant', 'describe', 'acme']), /memoryMiB +128/);
});

test('what a tenant has used of its day is added up, and then refused until midnight', async () => {
  await swiftlet(['tenant', 'set', 'other', '--quota', 'gbSecondsPerDay=0']);
  const refused = await eventually(
    () => call('/@other/hello/', token['other']),
    ({ status }) => status === 429,
  );
  assert.deepEqual([refused.json['place'], Number(refused.headers.get('retry-after')) > 1], ['gbSecondsPerDay', true]);
  assert.equal((await call('/@acme/hello/', token['acme'])).status, 200);
});

test('a tenant with functions is not removed; one without is, and its name stays taken', async () => {
  await assert.rejects(swiftlet(['tenant', 'remove', 'acme']), { code: 1 });
  await swiftlet(['remove', 'hello', '--tenant', 'acme']);
  await swiftlet(['tenant', 'remove', 'acme']);
  assert.equal((await call('/@acme/hello/', token['acme'])).status, 401);
  await assert.rejects(swiftlet(['tenant', 'create', 'acme']), { code: 1 });
});
