/** The crowds of threats.md in full. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openBystander } from '../test/e2e/bystander.ts';
import { atRest, gauge, hangUps } from '../test/e2e/crowds.ts';
import { type E2e, openE2e } from '../test/e2e/functions.ts';
import { memoryGrowth } from '../test/e2e/platform-memory.ts';
import { publishSlow, slowClients } from '../test/e2e/slow-clients.ts';

let e2e: E2e;
let beside: Awaited<ReturnType<typeof openBystander>>;
before(async () => {
  e2e = await openE2e({ environment: { SWIFTLET_TENANT_IN_FLIGHT: '5000' } });
  beside = await openBystander(e2e);
});
after(() => e2e[Symbol.asyncDispose]());

test('5,000 slow clients', async (t) => {
  await publishSlow(e2e);
  const { mebibytes, role, result } = await memoryGrowth(e2e, () => beside(() => slowClients(e2e, 830)));
  assert.ok(result >= 5_000);
  t.diagnostic(`${result} clients; ${role} grew by ${mebibytes} MiB`);
});

test('10,000 callers that hang up in the middle', async (t) => {
  const code = 'export const handler = async () => { await new Promise((r) => setTimeout(r, 5)); return "x".repeat(200_000); };';
  await e2e.publish('hang-ups', code, { maximum: 1, concurrency: 5, queueLength: 20_000, timeoutMs: 5_000 });
  await e2e.call('/hang-ups/');
  const startedAt = performance.now();
  await beside(() => hangUps(e2e, '/hang-ups/', 10_000));
  await atRest(e2e, 60_000);
  assert.equal(await gauge(e2e, 'swiftlet_requests_waiting'), 0);
  assert.equal((await e2e.call('/hang-ups/')).status, 200);
  t.diagnostic(`at rest after ${Math.round(performance.now() - startedAt)} ms`);
});

test('10,000 requests of one tenant at once', async (t) => {
  const code = 'export const handler = () => new Promise((r) => setTimeout(r, 5000, "done"));';
  await e2e.publish('greedy', code, { maximum: 5, concurrency: 1_000, queueLength: 20_000, queueTimeoutMs: 60_000, memoryMiB: 512 });
  await e2e.call('/greedy/');
  const statuses = await Promise.all(Array.from({ length: 10_000 }, () => e2e.call('/greedy/').then(({ status }) => status)));
  const count = (wanted: number) => statuses.filter((status) => status === wanted).length;
  assert.equal(count(200) + count(429), 10_000);
  assert.ok(count(200) >= 5_000, `${count(200)} were answered`);
  await atRest(e2e);
  await beside(() => Promise.resolve());
  t.diagnostic(`${count(200)} answered, ${count(429)} refused with 429`);
});
