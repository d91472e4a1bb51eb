/** Tenants on a host that one of them would like to have for itself. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { packModule } from '../../bench/bench-functions.ts';
import { type E2e, eventually, openE2e } from './functions.ts';

const maxSandboxes = 6;
let e2e: E2e;
before(async () => {
  e2e = await openE2e({ poolSize: 1, maxSandboxes });
});
after(() => e2e[Symbol.asyncDispose]());

async function publishFor(tenant: string): Promise<void> {
  const { api } = e2e.platform;
  await api.setTenant(tenant, {});
  await api.of(tenant).deploy('hello', await packModule('export const handler = () => "hello";'), { queueTimeoutMs: 5_000 });
}

const callOf = (tenant: string) => e2e.call(`/@${tenant}/hello/`, { headers: { authorization: `Bearer ${e2e.platform.token}` } });

test('a tenant that would fill the host leaves a place for the first instance of another one, and makes room for one that comes later', async () => {
  await publishFor('other');
  await e2e.publish('greedy', 'export const handler = () => new Promise((resolve) => setTimeout(resolve, 100, "x"));');
  const ended = new AbortController();
  const statuses = new Set<number>();
  const caller = async () => {
    while (!ended.signal.aborted) statuses.add((await e2e.call('/greedy/')).status);
  };
  const callers = Array.from({ length: 20 }, caller);
  const greedy = async () => (await e2e.platform.api.instances('greedy')).length;
  try {
    await eventually(greedy, (count) => count === maxSandboxes - 1);
    assert.equal((await callOf('other')).status, 200);
    await publishFor('late');
    assert.equal((await callOf('late')).status, 200);
    assert.equal(await greedy(), maxSandboxes - 2);
  } finally {
    ended.abort();
    await Promise.all(callers);
  }
  assert.deepEqual([...statuses], [200], 'nobody lost a request for it');
});
