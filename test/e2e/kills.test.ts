/** What each kill -9 costs: the table of docs/architecture.md. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type E2e, eventually, openE2e } from './functions.ts';
import { childrenOf, roleOf } from './role-processes.ts';

const instant = 'export const handler = () => ({ born: (globalThis.born ??= Math.random()) });';
const slow = 'export const handler = () => new Promise((r) => setTimeout(r, 800, "done"));';

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
  await e2e.publish('instant', instant, { async: { backoffMs: 50 } });
  await e2e.publish('slow', slow);
  await e2e.call('/instant/');
});
after(() => e2e[Symbol.asyncDispose]());

const answers = (url: string) =>
  fetch(url).then(
    (response) => response.ok,
    () => false,
  );
/** Control's word on the others may be half a second old; the gateway's own is not. */
const healthy = async () => (await answers(`${e2e.platform.gatewayUrl}/_/health`)) && (await answers(`${e2e.platform.apiUrl}/healthz`));

/** Kills a role and resolves when its successor serves. */
async function killRole(name: string): Promise<void> {
  const pid = roleOf(e2e.platform.pid, name);
  process.kill(pid, 'SIGKILL');
  await eventually(
    () => childrenOf(e2e.platform.pid).includes(pid),
    (there) => !there,
  );
}

test('control: nothing for requests', async () => {
  const before = await e2e.call('/instant/');
  await killRole('control');
  const during = await Promise.all([e2e.call('/instant/'), e2e.call('/slow/')]);
  assert.deepEqual(
    during.map(({ status }) => status),
    [200, 200],
  );
  assert.equal(during[0].text, before.text);
  await eventually(healthy, Boolean);
  assert.equal((await e2e.platform.api.instances('instant')).length, 1);
});

test('agent: instances live on, requests in flight finish, new starts wait', async () => {
  const before = await e2e.call('/instant/');
  await e2e.publish('fresh', instant);
  const inFlight = e2e.call('/slow/');
  await new Promise((resolve) => setTimeout(resolve, 100));
  await killRole('agent');
  assert.equal((await e2e.call('/instant/')).text, before.text);
  const fresh = await e2e.call('/fresh/');
  assert.equal(fresh.status, 200, fresh.text);
  assert.equal((await inFlight).text, '"done"');
  await eventually(healthy, Boolean);
  const after = await e2e.call('/instant/');
  assert.deepEqual([after.text, after.headers.get('x-swiftlet-start')], [before.text, 'warm']);
});

test('agent: a function that keeps its thread busy holds nobody up, and is not ended for it', async () => {
  await e2e.publish(
    'busy',
    'import { existsSync } from "node:fs"; export const handler = (e) => { while (e.rawPath === "/long" && !existsSync("/tmp/enough")); return "worked"; };',
    { timeoutMs: 120_000 },
  );
  let isAnswered = false;
  const inFlight = e2e.call('/busy/long').finally(() => (isAnswered = true));
  const [instance] = await eventually(
    () => e2e.platform.api.instances('busy'),
    ([first]) => first?.state === 'leased',
  );
  await killRole('agent');
  await eventually(healthy, Boolean);
  assert.ok(!isAnswered, 'the restart waited for the busy one');
  writeFileSync(`/proc/${instance?.pid ?? 0}/root/tmp/enough`, '');
  assert.equal((await inFlight).text, '"worked"');
  assert.equal((await e2e.call('/busy/')).headers.get('x-swiftlet-start'), 'warm');
});

test('gateway: its own callers’ requests break, everything else lives', async () => {
  const before = await e2e.call('/instant/');
  const broken = e2e.call('/slow/').then(
    () => 'answered',
    () => 'broken',
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  await killRole('gateway');
  assert.equal(await broken, 'broken');
  await eventually(healthy, Boolean);
  const after = await e2e.call('/instant/');
  assert.equal(after.text, before.text);
});

test('gateway: while control is away it says that it does not know the functions yet, not that there are none', async () => {
  const control = roleOf(e2e.platform.pid, 'control');
  process.kill(control, 'SIGSTOP');
  try {
    process.kill(roleOf(e2e.platform.pid, 'gateway'), 'SIGKILL');
    const early = await eventually(
      () => e2e.call('/instant/').catch(() => undefined),
      (answer) => answer !== undefined,
    );
    assert.deepEqual([early?.status, early?.json['code'], early?.headers.get('retry-after')], [503, 'Unavailable', '1']);
  } finally {
    process.kill(control, 'SIGCONT');
  }
  await eventually(healthy, Boolean);
  assert.equal((await e2e.call('/instant/')).status, 200);
});

test('relay: log lines of the gap at most', async () => {
  await killRole('relay');
  assert.equal((await e2e.call('/instant/')).status, 200);
  await eventually(healthy, Boolean);
  await e2e.publish('speaks', 'export const handler = () => { console.log("heard"); return 1; };');
  await e2e.call('/speaks/');
  await eventually(
    () => e2e.log('speaks'),
    (records) => records.some((record) => record['message'] === 'heard'),
  );
});

test('events: nothing for requests that are waited for; what was accepted before is delivered', async () => {
  const accepted = await e2e.call('/instant/', { headers: { prefer: 'respond-async' } });
  assert.equal(accepted.status, 202);
  await killRole('events');
  assert.equal((await e2e.call('/instant/')).status, 200);
  await eventually(healthy, Boolean);
  const state = async () =>
    (await e2e.call(`/_/events/${String(accepted.json['id'])}`, { headers: { authorization: `Bearer ${e2e.platform.token}` } })).json[
      'state'
    ];
  await eventually(state, (now) => now === 'succeeded');
});

test('no role that was killed is left as a zombie', async () => {
  assert.equal((await e2e.call('/slow/')).text, '"done"');
  const zombies = execFileSync('ps', ['-eo', 'ppid,stat'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.trim().startsWith(`${e2e.platform.pid} Z`));
  assert.deepEqual(zombies, []);
});
