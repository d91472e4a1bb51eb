/** Versions take over from each other on a real platform, while requests come. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { type SteadyLoad, sendLoad } from '../../bench/steady-load.ts';
import type { RolloutPlan } from '../../src/model/rollout.ts';
import type { RolloutView } from '../../src/wire/traffic-answers.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { roleOf } from './role-processes.ts';

const good = (word: string): string => `export const handler = () => '${word}';`;
/** Beside it another version is quicker, whatever a busy host does to its first requests. */
const slow = (word: string): string => `export const handler = () => new Promise((r) => setTimeout(r, 100, '${word}'));`;
const failing = 'let count = 0; export const handler = () => { if (++count % 2 === 0) throw new Error("half of it"); return "bad"; };';
const canary: RolloutPlan = {
  strategy: 'canary',
  steps: [
    { weight: 20, forMs: 1_500 },
    { weight: 50, forMs: 1_000 },
  ],
};
const perSecond = 75;
/** So many at once that a machine which stalls for two seconds starts no other instance: a cold start is the rollout's then. */
const roomy = { concurrency: 400 };

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
});
after(() => e2e[Symbol.asyncDispose]());
/** None goes on behind a test that failed. */
const loads = new Set<SteadyLoad>();
afterEach(async () => {
  for (const sent of loads) await sent.stop();
  loads.clear();
});

async function api(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${e2e.platform.apiUrl}/v1/functions/${path}`, {
    method,
    headers: { authorization: `Bearer ${e2e.platform.token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  assert.ok(response.ok, JSON.stringify(answer));
  return answer;
}

const rolloutOf = async (name: string): Promise<RolloutView> => (await api('GET', `${name}/rollout`)) as RolloutView;
const reached = (name: string, state: RolloutView['state'], limitMs = 20_000) =>
  eventually(
    () => rolloutOf(name),
    (rollout) => rollout.state === state,
    limitMs,
  );
function load(name: string): SteadyLoad {
  const sent = sendLoad(`${e2e.platform.gatewayUrl}/${name}/`, perSecond);
  loads.add(sent);
  return sent;
}

test('a canary that does well takes over: no error, no cold start, shares in between', async () => {
  await e2e.publish('well', slow('one'), roomy);
  await e2e.call('/well/');
  const sent = load('well');
  await e2e.publish('well', good('two'), { ...roomy, rollout: canary });
  const { step } = await reached('well', 'watching');
  assert.ok(step?.weight === 20 || step?.weight === 50, 'as far as it has come until somebody looks');
  const done = await reached('well', 'completed');
  assert.deepEqual(done.live, [{ version: 2, weight: 100 }]);
  const answers = await sent.stop();
  assert.deepEqual(answers.failures, []);
  assert.equal(answers.cold, 0, 'somebody waited for an instance');
  const counts = answers.byVersion;
  assert.ok((counts.get('1') ?? 0) > 20 && (counts.get('2') ?? 0) > 20, JSON.stringify([...counts]));
  assert.equal((await e2e.call('/well/')).text, '"two"');
});

test('a canary that fails is rolled back by itself, with its reason, and the old version is there still', async () => {
  await e2e.publish('badly', good('one'), roomy);
  await e2e.call('/badly/');
  const sent = load('badly');
  await e2e.publish('badly', failing, { ...roomy, rollout: { strategy: 'canary', steps: [{ weight: 20, forMs: 60_000 }] } });
  const { reason, live } = await reached('badly', 'rolled-back');
  assert.match(reason ?? '', /requests to version 2 failed \(\d+\.\d %\), but only 0 of \d+ requests to version 1 failed/);
  assert.deepEqual(live, [{ version: 1, weight: 100 }]);
  const before = sent.seen();
  await eventually(
    () => sent.seen(),
    (seen) => seen > before + 50,
  );
  const { failures, cold } = await sent.stop();
  assert.ok(failures.every(({ version }) => version === '2') && failures.length >= 5, JSON.stringify(failures.slice(0, 3)));
  assert.equal(cold, 0);
  assert.equal((await e2e.call('/badly/')).text, '"one"');
});

test('a version that cannot start gets no request', async () => {
  await e2e.publish('broken', good('one'));
  await e2e.call('/broken/');
  await e2e.publish('broken', 'throw new Error("no database");', { rollout: { strategy: 'blue-green' } });
  const { reason } = await reached('broken', 'rolled-back');
  assert.match(reason ?? '', /^version 2 cannot start: InitError: .*no database/);
  assert.equal((await e2e.call('/broken/')).text, '"one"');
});

test('a way back is in force when it is answered, and loses no request; what is in flight ends on its version', async () => {
  const slow = 'export const handler = (event) => new Promise((r) => setTimeout(r, event.rawPath === "/slow" ? 1500 : 0, "two"));';
  await e2e.publish('back', good('one'), roomy);
  await e2e.call('/back/');
  await e2e.publish('back', slow, { ...roomy, rollout: { strategy: 'blue-green', keepMs: 60_000 } });
  await reached('back', 'watching');
  const inFlight = e2e.call('/back/slow');
  const sent = load('back');
  await eventually(
    () => sent.seen(),
    (seen) => seen > 100,
  );
  const startedAt = performance.now();
  const answer = await api('POST', 'back/rollback', {});
  const tookMs = performance.now() - startedAt;
  assert.deepEqual([answer['live'], answer['placed']], [[{ version: 1, weight: 100 }], true]);
  assert.ok(tookMs < 10_000, `it took ${tookMs} ms`);
  assert.equal((await e2e.call('/back/')).headers.get('x-swiftlet-version'), '1');
  const { failures, cold } = await sent.stop();
  assert.deepEqual([failures, cold], [[], 0]);
  const { text, headers } = await inFlight;
  assert.deepEqual([text, headers.get('x-swiftlet-version')], ['"two"', '2']);
});

test('a kill -9 of control in the middle: the step stays, and the next control goes on with it', async () => {
  await e2e.publish('killed', slow('one'), roomy);
  await e2e.call('/killed/');
  const sent = load('killed');
  await e2e.publish('killed', good('two'), { ...roomy, rollout: canary });
  await reached('killed', 'watching');
  const pid = roleOf(e2e.platform.pid, 'control');
  process.kill(pid, 'SIGKILL');
  const again = await eventually(
    () => rolloutOf('killed').catch(() => undefined),
    (rollout) => rollout !== undefined,
  );
  assert.match(again?.state ?? '', /^(?:watching|warming|completed)$/);
  await reached('killed', 'completed');
  const { failures, cold, byVersion } = await sent.stop();
  assert.deepEqual([failures, cold], [[], 0]);
  assert.ok((byVersion.get('2') ?? 0) > 20);
});

test('aliases, weights and versions that are asked for', async () => {
  for (const word of ['one', 'two']) await e2e.publish('named', good(word), roomy);
  await api('PUT', 'named/aliases/stable', { versions: [{ version: 1, weight: 100 }] });
  assert.deepEqual([(await e2e.call('/named:stable/')).text, (await e2e.call('/named/')).text], ['"one"', '"two"']);
  assert.equal((await e2e.call('/named:gone/')).json['code'], 'AliasNotFound');
  const ask = (version: string, token = e2e.platform.token) =>
    e2e.call('/named/', { headers: { 'x-swiftlet-version': version, 'x-swiftlet-token': token } });
  assert.equal((await ask('1')).text, '"one"');
  assert.equal((await ask('1', 'a guess')).status, 401);
  assert.equal((await ask('9')).json['code'], 'VersionNotFound');
  assert.equal((await e2e.call('/named:stable/', { headers: { prefer: 'respond-async' } })).status, 400);
  await api('PUT', 'named/aliases/live', {
    versions: [
      { version: 1, weight: 50 },
      { version: 2, weight: 50 },
    ],
    sticky: { cookie: 'session' },
  });
  for (const session of ['ada', 'bob', 'eve', 'dan']) {
    const answers = await Promise.all(Array.from({ length: 5 }, () => e2e.call('/named/', { headers: { cookie: `session=${session}` } })));
    assert.equal(new Set(answers.map(({ text }) => text)).size, 1, `${session} met two versions`);
  }
});
