/** Many callers at once: who is over a limit is told so, and nobody else notices. */
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { openBystander } from './bystander.ts';
import { atRest, gauge, hangUps } from './crowds.ts';
import { type Answer, type E2e, eventually } from './functions.ts';
import { type AttackedPlatform, openAttacked } from './host-state.ts';

const tenantInFlight = 300;
let attacked: AttackedPlatform;
let e2e: E2e;
let beside: Awaited<ReturnType<typeof openBystander>>;
before(async () => {
  attacked = await openAttacked({ environment: { SWIFTLET_TENANT_IN_FLIGHT: String(tenantInFlight), SWIFTLET_MAX_SANDBOXES: '60' } });
  ({ e2e } = attacked);
  beside = await openBystander(e2e);
  await beside(() => Promise.resolve());
  await attacked.rest();
});
// After each crowd processes, cgroups, mounts, networks, descriptors and temporary files are what they were.
afterEach(() => attacked.restored());
after(() => attacked[Symbol.asyncDispose]());

function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, json } of answers) {
    const what = status === 200 ? '200' : `${status} ${String(json['code'])}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}

const many = (count: number, path: string) => Promise.all(Array.from({ length: count }, () => e2e.call(path)));

test('from 0 to 100 at once: all are answered', async () => {
  await e2e.publish('burst', 'export const handler = () => new Promise((r) => setTimeout(r, 20, "done"));', {
    maximum: 10,
    concurrency: 2,
  });
  assert.deepEqual(tally(await beside(() => many(100, '/burst/'))), { 200: 100 });
  await atRest(e2e);
});

test('from 0 to 100 at once, into a queue of 30: the rest gets 503 with Retry-After at once, those who wait are answered', async () => {
  const code = 'await new Promise((r) => setTimeout(r, 300)); export const handler = () => new Promise((r) => setTimeout(r, 10, "done"));';
  await e2e.publish('overflow', code, { maximum: 2, queueLength: 30 });
  const answers = await beside(() => many(100, '/overflow/'));
  assert.deepEqual(tally(answers), { 200: 30, '503 QueueFull': 70 });
  for (const { status, headers } of answers) if (status === 503) assert.match(headers.get('retry-after') ?? '', /^\d+$/);
  await atRest(e2e);
});

test('three times as many requests at once as a tenant may have: 429 for those over its limit, none is lost', async () => {
  const code = 'export const handler = () => new Promise((r) => setTimeout(r, 1000, "done"));';
  await e2e.publish('greedy', code, { maximum: 2, concurrency: 1_000, queueLength: 10_000 });
  await e2e.call('/greedy/');
  const answers = await many(tenantInFlight * 3, '/greedy/');
  const counts = tally(answers);
  assert.deepEqual(Object.keys(counts).toSorted(), ['200', '429 TooManyRequests']);
  assert.ok((counts['200'] ?? 0) >= tenantInFlight, JSON.stringify(counts));
  for (const { status, headers } of answers) if (status === 429) assert.match(headers.get('retry-after') ?? '', /^\d+$/);
  await atRest(e2e);
  await beside(() => Promise.resolve());
});

test('callers that hang up in the middle: nothing is in flight after them, and each slot is free once', async () => {
  const config = { maximum: 1, concurrency: 5, queueLength: 10_000, timeoutMs: 5_000 };
  const code = `let running = 0, most = 0;
    export const handler = async (e) => {
      if (e.rawPath === '/most') return { running: running - 0, most };
      running += 1; most = Math.max(most, running);
      await new Promise((r) => setTimeout(r, 5));
      running -= 1;
      return 'x'.repeat(200_000);
    };`;
  await e2e.publish('hang-ups', code, config);
  await e2e.call('/hang-ups/');
  await beside(() => hangUps(e2e, '/hang-ups/', 1_000));
  await atRest(e2e);
  assert.equal(await gauge(e2e, 'swiftlet_requests_waiting'), 0);
  const { json } = await e2e.call('/hang-ups/most');
  assert.equal(json['running'], 0);
  assert.ok(Number(json['most']) <= config.concurrency, `${String(json['most'])} at once`);
  assert.equal((await e2e.platform.api.instances('hang-ups')).length, 1);
  // A slot freed twice would let more in, one that is lost fewer.
  await Promise.all(Array.from({ length: 50 }, () => e2e.call('/hang-ups/')));
  const after = await e2e.call('/hang-ups/most');
  assert.equal(after.json['most'], config.concurrency);
});

test('callers that hang up while they wait for an instance leave the queue', async () => {
  await e2e.publish('never', 'export const handler = () => new Promise(() => setInterval(() => {}, 1000));', {
    maximum: 1,
    queueLength: 50,
    timeoutMs: 5_000,
  });
  const holder = new AbortController();
  const held = e2e.call('/never/', { signal: holder.signal }).catch(() => undefined);
  await eventually(
    () => gauge(e2e, 'swiftlet_requests_waiting'),
    (count) => count === 0,
  );
  for (let round = 0; round < 5; round++) await beside(() => hangUps(e2e, '/never/', 40));
  await eventually(
    () => gauge(e2e, 'swiftlet_requests_waiting'),
    (count) => count === 0,
  );
  holder.abort();
  await held;
  await e2e.platform.api.remove('never');
});
