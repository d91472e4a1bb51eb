/** Tokens and tenants over the API: what is shown, what is kept, what is over a quota. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startTenants } from './access-under-test.ts';
import { eventually } from '../e2e/functions.ts';
import { assertProblem, sha256 } from './control-under-test.ts';

describe('tokens', () => {
  it('are shown once, kept as hashes, listed, and worth nothing once revoked', async (t) => {
    const under = await startTenants(t);
    await under.createTenant('acme');
    const { id, token } = await under.createToken('acme', 'viewer', { functions: ['a', 'b'] });
    assert.match(token, /^swt_[0-9a-f]{16}_[\w-]{43}$/);
    const { json, text } = await under.as('the-token-of-the-tests', '/v1/tokens', { tenant: 'acme' });
    const [listed] = json['tokens'] as Record<string, unknown>[];
    assert.deepEqual(
      [listed?.['id'], listed?.['role'], listed?.['functions'], listed?.['createdBy'], listed?.['expired']],
      [id, 'viewer', ['a', 'b'], 'root', false],
    );
    assert.ok(!text.includes(token) && !text.includes(sha256(token)));
    const folder = join(under.folder, 'control');
    const stored = readdirSync(folder)
      .filter((name) => name.startsWith('store.sqlite'))
      .map((name) => readFileSync(join(folder, name), 'latin1'))
      .join('');
    assert.ok(stored.includes(sha256(token)) && !stored.includes(token.slice(21)));
    assert.equal(under.roles.state?.tokens.get(id)?.published.hash, sha256(token));
    assert.equal((await under.as(token, '/v1/functions')).status, 200);
    const revoked = await under.as('the-token-of-the-tests', `/v1/tokens/${id}`, { method: 'DELETE', tenant: 'acme' });
    assert.deepEqual([revoked.status, revoked.json['placed']], [200, true]);
    assert.equal((await under.as(token, '/v1/functions')).status, 401);
    assert.equal(under.roles.state.tokens.size, 0);
    const again = await under.as('the-token-of-the-tests', `/v1/tokens/${id}`, { method: 'DELETE', tenant: 'acme' });
    assertProblem(again, 404, 'TokenNotFound');
  });

  it('of a tenant’s admin are for that tenant, never for the platform or another', async (t) => {
    const under = await startTenants(t);
    for (const tenant of ['acme', 'other']) await under.createTenant(tenant);
    const admin = await under.createToken('acme', 'admin');
    const foreign = await under.createToken('other', 'viewer');
    const create = (body: object, tenant?: string) =>
      under.as(admin.token, '/v1/tokens', {
        method: 'POST',
        body: JSON.stringify({ name: 'x', role: 'admin', ...body }),
        ...(tenant === undefined ? {} : { tenant }),
      });
    const made = await create({});
    assert.deepEqual([made.status, made.json['tenant'], made.json['createdBy']], [201, 'acme', admin.id]);
    assertProblem(await create({ platform: true }), 403, 'Forbidden', /the platform: the role admin/);
    assertProblem(await create({}, 'other'), 404, 'TenantNotFound');
    assertProblem(await under.as(admin.token, `/v1/tokens/${foreign.id}`, { method: 'DELETE' }), 404, 'TokenNotFound');
    assertProblem(await under.as(admin.token, '/v1/tokens?platform=true'), 403, 'Forbidden');
  });

  it('expire, and are refused when they would have already', async (t) => {
    const under = await startTenants(t);
    const past = JSON.stringify({ name: 'x', role: 'viewer', expiresAt: '2020-01-01T00:00:00.000Z' });
    assertProblem(await under.call('/v1/tokens', { method: 'POST', body: past }), 400, 'BadRequest', /expired already/, 'expiresAt');
    const expiresAt = new Date(Date.now() + 2_000).toISOString();
    const { token } = await under.createToken('default', 'viewer', { expiresAt });
    assert.equal((await under.as(token, '/v1/functions')).status, 200);
    while (Date.now() <= Date.parse(expiresAt)) await new Promise((resolve) => setTimeout(resolve, 20));
    assertProblem(await under.as(token, '/v1/functions'), 401, 'Unauthorized', /has expired/);
  });

  it('that are revoked end what they follow', async (t) => {
    const under = await startTenants(t);
    await under.deploy('default', 'hello');
    const { id, token } = await under.createToken('default', 'viewer');
    const response = await fetch(`${under.url}/v1/functions/hello/logs?follow=true`, { headers: { authorization: `Bearer ${token}` } });
    const ended = response.text().then(
      () => 'ended',
      () => 'ended',
    );
    const revokedAt = performance.now();
    await under.call(`/v1/tokens/${id}`, { method: 'DELETE' });
    assert.equal(await ended, 'ended');
    assert.ok(performance.now() - revokedAt < 2_000);
  });
});

describe('tenants', () => {
  it('say where functions connect to that do not say it themselves, from their next version on', async (t) => {
    const under = await startTenants(t);
    await under.createTenant('acme', { network: 'none' });
    const networkOf = async (tenant: string, name: string) => {
      const { json } = await under.call(`/v1/functions/${name}`, { headers: { 'x-swiftlet-tenant': tenant } });
      return (json['serving'] as { config: { network: unknown } }).config.network;
    };
    await under.deploy('acme', 'silent');
    await under.deploy('acme', 'own', { config: { network: { allow: ['api.example.com:443'] } } });
    await under.deploy('default', 'silent');
    assert.equal(await networkOf('acme', 'silent'), 'none');
    assert.deepEqual(await networkOf('acme', 'own'), { allow: ['api.example.com:443'] });
    assert.equal(await networkOf('default', 'silent'), 'internet');
    await under.put('/v1/tenants/acme', { network: { deny: ['*:25'] } });
    assert.equal(await networkOf('acme', 'silent'), 'none');
    await under.deploy('acme', 'silent');
    assert.deepEqual(await networkOf('acme', 'silent'), { deny: ['*:25'] });
    assertProblem(await under.put('/v1/tenants/acme', { network: 'open' }), 400, 'BadRequest', /network/);
  });

  it('are made, changed, described, listed to those who have to do with them, and removed when empty', async (t) => {
    const under = await startTenants(t);
    const made = await under.createTenant('acme', { quotas: { functions: 2 }, cpuWeight: 200 });
    assert.deepEqual(
      [made.status, made.json['urls'], made.json['functionsUrl'], made.json['placed']],
      [201, 'token', 'http://127.0.0.1:8080/@acme', true],
    );
    assertProblem(await under.createTenant('acme'), 412, 'PreconditionFailed', /"acme" already/);
    for (const name of ['../x', '__proto__', 'a'.repeat(1_000), 'аcme', 'ac me']) {
      const { status, json } = await under.createTenant(encodeURIComponent(name));
      assert.deepEqual([status, json['code']], [400, 'NameInvalid'], name);
    }
    await under.createTenant('other');
    const { token } = await under.createToken('acme', 'viewer');
    assert.deepEqual(
      ((await under.as(token, '/v1/tenants')).json['tenants'] as { name: string }[]).map(({ name }) => name),
      ['acme'],
    );
    assert.equal((await under.as(token, '/v1/tenants/other')).status, 404);
    await under.deploy('acme', 'hello');
    const { json } = await under.as(token, '/v1/tenants/acme');
    const use = json['use'] as Record<string, number>;
    assert.deepEqual([use['functions'], (use['storageBytes'] ?? 0) > 0, use['gbSecondsToday']], [1, true, 0]);
    const remove = () => under.call('/v1/tenants/acme', { method: 'DELETE' });
    assertProblem(await remove(), 409, 'Conflict', /has 1 functions/);
    await under.call('/v1/functions/hello', { method: 'DELETE', headers: { 'x-swiftlet-tenant': 'acme' } });
    assert.equal((await remove()).status, 204);
    assert.equal((await under.as(token, '/v1/tenants')).status, 401, 'its tokens go with it');
    assertProblem(await under.createTenant('acme'), 409, 'Conflict', /was removed/);
    assertProblem(await under.call('/v1/tenants/default', { method: 'DELETE' }), 409, 'Conflict');
  });

  it('see their own figures, and nobody else’s', async (t) => {
    const under = await startTenants(t);
    for (const tenant of ['acme', 'other']) {
      await under.createTenant(tenant);
      assert.equal((await under.deploy(tenant, 'hello')).status, 201);
    }
    const { token } = await under.createToken('acme', 'operator');
    const { status, text } = await under.as(token, '/v1/metrics');
    assert.deepEqual(
      [status, text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))],
      [200, ['swiftlet_deploys_total{tenant="acme",outcome="created"} 1']],
    );
    assert.equal((await under.as(token, '/metrics')).status, 403);
    const single = await under.createToken('acme', 'operator', { functions: ['hello'] });
    assert.deepEqual(
      [(await under.as(single.token, '/v1/metrics')).status, (await under.as(single.token, '/v1/metrics?function=hello')).status],
      [403, 200],
    );
  });

  it('keep what they have apart, name for name', async (t) => {
    const under = await startTenants(t);
    for (const tenant of ['acme', 'other']) {
      await under.createTenant(tenant);
      await under.deploy(tenant, 'hello');
    }
    const { token } = await under.createToken('acme', 'admin');
    const { json } = await under.as(token, '/v1/functions/hello');
    assert.deepEqual([json['url'], (json['serving'] as Record<string, unknown>)['tenant']], ['http://127.0.0.1:8080/@acme/hello', 'acme']);
    assert.equal((await under.as(token, '/v1/functions/hello', { method: 'DELETE' })).status, 204);
    assert.equal((await under.as('the-token-of-the-tests', '/v1/functions/hello', { tenant: 'other' })).status, 200);
    await eventually(
      () => under.roles.forgotten,
      ([name]) => name === 'hello',
    );
  });

  it('learn nothing of each other by an artifact’s digest', async (t) => {
    const under = await startTenants(t);
    for (const tenant of ['acme', 'other']) await under.createTenant(tenant);
    const deployed = await under.deploy('acme', 'hello', { content: 'export const handler = () => 42;' });
    const digest = String((deployed.json['version'] as Record<string, unknown>)['digest']);
    const { token } = await under.createToken('other', 'developer');
    assert.equal((await under.as(token, `/v1/artifacts/${digest}`, { method: 'HEAD' })).status, 404);
    const body = JSON.stringify({ digest });
    assertProblem(await under.as(token, '/v1/functions/hello', { method: 'PUT', body }), 404, 'NotFound');
    assert.equal((await under.deploy('other', 'hello', { token, content: 'export const handler = () => 42;' })).status, 201);
  });

  it('are held to their quotas by name and value', async (t) => {
    const under = await startTenants(t);
    await under.createTenant('acme', { quotas: { functions: 1 } });
    assert.equal((await under.deploy('acme', 'one')).status, 201);
    assertProblem(
      await under.deploy('acme', 'two'),
      429,
      'QuotaExceeded',
      /tenant "acme" has its quota "functions" of 1 full/,
      'functions',
    );
    assert.equal(
      (await under.deploy('acme', 'one', { content: 'export const handler = () => 2;' })).status,
      200,
      'another version is no other function',
    );
    await under.put('/v1/tenants/acme', { quotas: { storageMiB: 0 } });
    assertProblem(
      await under.deploy('acme', 'two', { content: 'export const handler = () => 3;' }),
      429,
      'QuotaExceeded',
      /"storageMiB" of 0/,
      'storageMiB',
    );
    await under.put('/v1/tenants/acme', { quotas: {} });
    assert.equal((await under.deploy('acme', 'two')).status, 201);
  });

  it('that have used up their day are told to gateways', async (t) => {
    const under = await startTenants(t);
    await under.createTenant('acme', { quotas: { gbSecondsPerDay: 1 } });
    const day = new Date().toISOString().slice(0, 10);
    under.roles.usage = [
      {
        function: 'a',
        day,
        warm: 1,
        thawed: 0,
        awakened: 0,
        provisioned: 0,
        cold: 0,
        billedMs: 1,
        mebibyteMs: 1024 * 1_000,
        platformMs: 0,
        prepaidMs: 0,
      },
    ];
    const spent = () => under.roles.heard.find(([method]) => method === 'spent')?.[1] as { tenants: string[] } | undefined;
    while (spent()?.tenants.length !== 1) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(spent()?.tenants, ['acme']);
  });
});
