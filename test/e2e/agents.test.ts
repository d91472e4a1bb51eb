/** Two agents and two gateways under one control, on one machine: what holds for them together, and what becomes of it when one agent is gone. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { processTree } from '../../bench/processes.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { startCallers } from './steady-callers.ts';

const agents = [1, 2];
let e2e: E2e;
before(async () => {
  const environment = { SWIFTLET_AGENTS: '2', SWIFTLET_GATEWAYS: '2', SWIFTLET_LABELS: 'cell=a; cell=b' };
  e2e = await openE2e({ poolSize: 2, environment });
});
after(() => e2e[Symbol.asyncDispose]());

const roles = () =>
  processTree(e2e.platform.pid).filter(({ parent, title }) => parent === e2e.platform.pid && title.startsWith('swiftlet agent'));
const pidOf = (agent: number): number => roles().find(({ title }) => title === `swiftlet agent ${agent}`)?.pid ?? 0;
const health = async () =>
  ((await (await fetch(`${e2e.platform.apiUrl}/healthz`)).json()) as { roles: { agent: { ready: boolean; detail: string } } }).roles.agent;
const bothServe = () =>
  eventually(
    () => health(),
    ({ ready }) => ready,
    30_000,
  );

/** Answers with the request's number, and says on its log which instance it is. */
const numbered = (ms: number) => `
  const born = Math.random();
  console.log('born', born);
  export const handler = async (event) => {
    await new Promise((resolve) => setTimeout(resolve, ${ms}));
    return { statusCode: 200, headers: { 'x-born': String(born) }, body: event.queryStringParameters?.n ?? '' };
  };`;
/** The agents that have instances of a function, and of each how many. */
async function placed(name: string): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (const { agent = 0 } of await e2e.platform.api.instances(name)) counts.set(agent, (counts.get(agent) ?? 0) + 1);
  return counts;
}
/** So many requests at once. @returns how many different instances answered */
async function atOnce(path: string, count: number, headers = {}): Promise<Set<string>> {
  const answers = await Promise.all(Array.from({ length: count }, () => e2e.call(path, { headers })));
  assert.deepEqual(
    answers.filter(({ status }) => status !== 200).map(({ text }) => text),
    [],
  );
  return new Set(answers.map((answer) => answer.headers.get('x-born') ?? ''));
}

test('both agents serve a function, and each is named where it is looked for', async () => {
  assert.equal((await bothServe()).detail, '2 agents take starts');
  await e2e.publish('wide', numbered(300), { concurrency: 1 });
  const born = await atOnce('/wide/', 12);
  assert.deepEqual([...(await placed('wide')).keys()].toSorted(), agents);
  const metrics = await e2e.platform.api.metrics();
  for (const agent of agents) assert.match(metrics, new RegExp(`^swiftlet_instances\\{agent="${agent}",.*function="wide"`, 'm'));
  // Of all of them, wherever they ran.
  const logged = await eventually(
    async () => new Set((await e2e.log('wide')).map(({ message }) => String(message).replace('born ', ''))),
    (seen) => born.isSubsetOf(seen),
  );
  assert.ok(logged.size >= born.size);
});

test('a function has its maximum, and its provisioned instances, of all agents together', async () => {
  const maximum = 3;
  await e2e.publish('few', numbered(20), { concurrency: 1, maximum, minimum: maximum, queueTimeoutMs: 30_000 });
  const sum = async () => [...(await placed('few')).values()].reduce((total, count) => total + count, 0);
  assert.deepEqual([await sum(), (await placed('few')).size], [maximum, 2]);
  const born = new Set<string>();
  for (let round = 0; round < 3; round++) for (const one of await atOnce('/few/', 12)) born.add(one);
  assert.deepEqual([await sum(), born.size], [maximum, maximum]);
});

test('each agent keeps a custom pool of its own, which is told of together; one too large for an agent is refused with the figures', async () => {
  const { apiUrl, token, api } = e2e.platform;
  const call = async (method: string, name: string, body?: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const init = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`${apiUrl}/v1/pools/${name}`, init);
    return { status: response.status, json: (await response.json()) as { detail?: string; state?: { target: number; ready: number } } };
  };
  await api.createPool('shared', { layers: [], preload: ['node:vm'], memoryMiB: 128, minimum: 2, maximum: 2 });
  await e2e.publish('pooled', numbered(1), { pool: 'shared' });
  const { json } = await eventually(
    () => call('GET', 'shared'),
    ({ json: { state } }) => state?.ready === 4,
    60_000,
  );
  assert.equal(json.state?.target, 4);
  const refused = await call('PUT', 'large', { preload: ['node:vm'], maximum: 1_000 });
  assert.equal(refused.status, 400);
  assert.match(refused.json.detail ?? '', /up to 1000 sandboxes is too large for each of this host's 2 agents, which runs \d+ altogether/);
});

test('a request for a cell is served by the agent of this cell', async () => {
  const groups = { by: { cell: { header: 'x-cell' } }, missing: 'refuse' as const };
  await e2e.publish('celled', numbered(50), { concurrency: 1, groups });
  const inA = await atOnce('/celled/', 3, { 'x-cell': 'a' });
  assert.deepEqual([...(await placed('celled')).keys()], [1]);
  const inB = await atOnce('/celled/', 3, { 'x-cell': 'b' });
  assert.ok(inA.isDisjointFrom(inB), 'no instance of one cell answers for the other');
  // One may have been started for a request that another was free for by then.
  assert.ok(((await placed('celled')).get(2) ?? 0) >= inB.size);
  assert.equal((await e2e.call('/celled/', { headers: { 'x-cell': 'c' } })).json['code'], 'GroupElsewhere');
  // What a cell lacks of the function's maximum it gets from the other, which keeps half of its part.
  const maximum = 8;
  await e2e.publish('moved', numbered(100), { concurrency: 1, groups, maximum, queueTimeoutMs: 30_000 });
  await eventually(
    async () => {
      await atOnce('/moved/', maximum, { 'x-cell': 'a' });
      return (await placed('moved')).get(1);
    },
    (count) => count === 6,
    30_000,
  );
  await atOnce('/moved/', maximum, { 'x-cell': 'b' });
  assert.deepEqual([...(await placed('moved'))].toSorted(), [
    [1, 6],
    [2, 2],
  ]);
  await e2e.publish('only-b', numbered(50), { concurrency: 1, groups: { only: { cell: ['b'] } } });
  await atOnce('/only-b/', 4);
  assert.deepEqual([...(await placed('only-b')).keys()], [2]);
});

for (const signal of ['SIGKILL', 'SIGTERM'] as const)
  test(`an agent gets ${signal} under load: no request fails, others are started at the other one, and it joins again`, async () => {
    const name = `after-${signal.toLowerCase()}`;
    await bothServe();
    await e2e.publish(name, numbered(5), { concurrency: 1, maximum: 8, queueTimeoutMs: 30_000 });
    await e2e.publish(`${name}-new`, numbered(5), { concurrency: 1, queueTimeoutMs: 30_000 });
    await atOnce(`/${name}/`, 8);
    const before = pidOf(2);
    const running = startCallers(`${e2e.platform.gatewayUrl}/${name}/`, 6, String);
    const more = async () => {
      const wanted = running.calls.length + 150;
      await eventually(
        () => running.calls.length,
        (count) => count >= wanted,
        60_000,
      );
    };
    await more();
    process.kill(before, signal);
    await atOnce(`/${name}-new/`, 4);
    await more();
    await eventually(
      () => pidOf(2),
      (pid) => pid !== 0 && pid !== before,
      60_000,
    );
    await bothServe();
    await more();
    await running.stop();
    assert.deepEqual(
      running.calls.flatMap(({ wrong }) => wrong ?? []),
      [],
    );
    await e2e.publish(`${name}-again`, numbered(300), { concurrency: 1 });
    await atOnce(`/${name}-again/`, 12);
    assert.deepEqual([...(await placed(`${name}-again`)).keys()].toSorted(), agents);
  });
