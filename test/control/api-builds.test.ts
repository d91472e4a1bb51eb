/** POST /v1/builds, with a stand-in for the agent that installs. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type BuildOrder, lineOf } from '../../src/wire/build-calls.ts';
import { buildSocketOf } from '../../src/role/role-config.ts';
import { eventually } from '../e2e/functions.ts';
import { startTenants, type Tenants } from './access-under-test.ts';
import { assertProblem, bundleOf, sha256, token } from './control-under-test.ts';
import { bundleMediaType } from '../../src/build/bundle.ts';

const source = bundleOf({ 'index.js': 'exports.handler = () => 1;', 'package.json': '{}', 'package-lock.json': '{}' });
const digest = sha256(source);
const modules = bundleOf({ 'node_modules/dep/index.js': 'exports.x = 1;' });

interface Agent {
  readonly orders: BuildOrder[];
  /** What becomes of the next orders. */
  answer: (response: ServerResponse) => void;
}

const installs = (response: ServerResponse) => {
  response.write(lineOf({ log: 'added 1 package' }));
  response.end(lineOf({ modules: modules.toString('base64') }) + lineOf({ end: true }));
};

async function start(t: TestContext): Promise<{ control: Tenants; agent: Agent }> {
  const control = await startTenants(t);
  const agent: Agent = { orders: [], answer: installs };
  const server = createServer((request, response) => {
    void json(request).then((order) => {
      agent.orders.push(order as BuildOrder);
      agent.answer(response);
    });
  });
  await once(server.listen(buildSocketOf(join(control.folder, 'run'))), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { control, agent };
}

const put = (control: Tenants, tenant: string) =>
  control.as(token, `/v1/artifacts/${digest}`, { method: 'PUT', body: new Uint8Array(source), type: bundleMediaType, tenant });
const order = (control: Tenants, tenant: string, change: object = {}) =>
  control.as(token, '/v1/builds', { method: 'POST', body: JSON.stringify({ source: digest, ...change }), tenant });
const records = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('an artifact is built of a source and what was installed for it, and can be deployed', async (t) => {
  const { control, agent } = await start(t);
  await put(control, 'default');
  const { status, headers, text } = await order(control, 'default');
  assert.deepEqual([status, headers.get('content-type')], [200, 'application/x-ndjson']);
  const [began, said, last] = records(text);
  assert.deepEqual([began, said], [{ log: 'installing by nodejs26' }, { log: 'added 1 package' }]);
  const built = last?.['built'] as { digest: string; cached: boolean };
  assert.equal(built.cached, false);
  const inputs = { 'package.json': 'e30=', 'package-lock.json': 'e30=' };
  assert.deepEqual(agent.orders, [{ tenant: 'default', runtime: 'nodejs26', scripts: false, inputs }]);
  const deployed = await control.put('/v1/functions/built', { digest: built.digest });
  assert.equal(deployed.status, 201, deployed.text);
});

test('what was installed is kept for its tenant, and for no other', async (t) => {
  const { control, agent } = await start(t);
  await control.createTenant('acme');
  for (const tenant of ['default', 'default', 'acme', 'default']) {
    await put(control, tenant);
    await order(control, tenant);
  }
  assert.deepEqual(
    agent.orders.map(({ tenant }) => tenant),
    ['default', 'acme'],
  );
  assert.equal((records((await order(control, 'default', { scripts: true })).text).at(-1)?.['built'] as { cached: boolean }).cached, false);
});

test('without its source, or with one of another tenant, it is refused before it begins', async (t) => {
  const { control, agent } = await start(t);
  await control.createTenant('acme');
  await put(control, 'default');
  assertProblem(await order(control, 'acme'), 404, 'NotFound', /is not here; upload it/, 'source');
  const plain = await control.bundle({ 'index.js': '' });
  assertProblem(
    await order(control, 'default', { source: plain }),
    400,
    'BadRequest',
    /lacks package\.json and package-lock\.json/,
    'source',
  );
  assert.deepEqual(agent.orders, []);
});

test('for Python it is refused before it begins where no agent says that it installs packages', async (t) => {
  const { control, agent } = await start(t);
  const asking = await control.bundle({ 'main.py': '', 'requirements.txt': 'flask' });
  assertProblem(
    await order(control, 'default', { source: asking, runtime: 'python3' }),
    503,
    'IsolationUnavailable',
    /installs no packages for Python/,
  );
  assert.deepEqual(agent.orders, []);
});

test('a build that fails, breaks off or lies is told in its last record, and nothing of it is kept', async (t) => {
  const { control, agent } = await start(t);
  await put(control, 'default');
  const failing: readonly (readonly [answer: Agent['answer'], code: string, detail: RegExp])[] = [
    [
      (response) =>
        response.end(lineOf({ log: 'its last words' }) + lineOf({ failed: { code: 'BuildFailed', message: 'npm ended with 1' } })),
      'BuildFailed',
      /npm ended with 1\nThe end of its output:\n {2}its last words/,
    ],
    [
      (response) => response.write(lineOf({ modules: modules.toString('base64') }), () => response.destroy()),
      'Unavailable',
      /deploy again/,
    ],
    [(response) => response.end(lineOf({ modules: modules.toString('base64') })), 'Unavailable', /deploy again/],
    [
      (response) => response.end(lineOf({ modules: modules.subarray(9).toString('base64') }) + lineOf({ end: true })),
      'BundleRejected',
      /damaged/,
    ],
    [(response) => response.end('{"built":1}\n'), 'BuildFailed', /is no build/],
    [
      (response) => response.writeHead(500).end(JSON.stringify({ code: 'IsolationUnavailable', message: 'no network' })),
      'IsolationUnavailable',
      /no network/,
    ],
  ];
  for (const [answer, code, detail] of failing) {
    agent.answer = answer;
    const failed = records((await order(control, 'default')).text).at(-1)?.['failed'] as { code: string; detail: string };
    assert.equal(failed.code, code, failed.detail);
    assert.match(failed.detail, detail);
  }
  agent.answer = installs;
  assert.equal((records((await order(control, 'default')).text).at(-1)?.['built'] as { cached: boolean }).cached, false);
});

test('one build of a tenant at once; who hangs up ends his, and the next begins', async (t) => {
  const { control, agent } = await start(t);
  await put(control, 'default');
  const ended = Promise.withResolvers<undefined>();
  agent.answer = (response) => {
    response.write(lineOf({ log: 'it takes its time' }));
    response.once('close', () => ended.resolve(undefined));
  };
  const gone = new AbortController();
  const init = {
    method: 'POST',
    body: JSON.stringify({ source: digest }),
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  };
  const first = await fetch(`${control.url}/v1/builds`, { ...init, signal: gone.signal });
  await eventually(
    () => agent.orders.length,
    (count) => count === 1,
  );
  const second = await fetch(`${control.url}/v1/builds`, init);
  const said = second.body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.deepEqual(records((await said?.read())?.value ?? ''), [{ log: 'waiting for other builds to end' }]);
  assert.equal(agent.orders.length, 1);
  agent.answer = installs;
  gone.abort();
  await assert.rejects(first.text());
  await ended.promise;
  let rest = '';
  for (let next = await said?.read(); next?.done === false; next = await said?.read()) rest += next.value;
  assert.ok('built' in (records(rest).at(-1) ?? {}), rest);
  assert.equal(agent.orders.length, 2);
});
