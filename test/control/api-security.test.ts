/** What an operator is told of the guards that are in force. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTenants } from './access-under-test.ts';
import { assertProblem } from './control-under-test.ts';

it('isolation, egress, open functions, tokens that end, and the root key are told to who oversees the platform', async (t) => {
  const under = await startTenants(t);
  await under.createTenant('acme');
  assert.equal((await under.deploy('acme', 'open', { config: { url: 'public', network: 'none' } })).status, 201);
  assert.equal((await under.deploy('acme', 'closed')).status, 201);
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const ending = await under.createToken('acme', 'operator', { expiresAt });
  const { token } = await under.createToken(undefined, 'operator');
  const { status, json, text } = await under.as(token, '/v1/security');
  assert.equal(status, 200, text);
  const { isolation, egress, openFunctions, tokens, rootKey, certificates } = json;
  assert.deepEqual(isolation, { mode: 'bubblewrap', facts: [{ means: 'namespaces', inForce: true, detail: 'all' }] });
  assert.deepEqual(egress, {
    enforcement: 'unknown',
    detail: 'the agent does not say',
    functions: { none: 1, internet: 1, lists: 0 },
    opened: [],
  });
  assert.deepEqual(openFunctions, { count: 1, first: [{ tenant: 'acme', function: 'open' }] });
  assert.deepEqual(tokens, { count: 2, endless: 1, expiring: [{ id: ending.id, tenant: 'acme', expiresAt, expired: false }] });
  assert.match(JSON.stringify(rootKey), /^\{"source":"file","id":"[0-9a-f]+","older":\[\]\}$/);
  assert.deepEqual(certificates, []);
  assertProblem(await under.as(ending.token, '/v1/security'), 403, 'Forbidden');
});
