/** Every route × method × role, from the OpenAPI document: who may do what, and what is not there for whom. */
import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { accessRoles, type AccessRole } from '../../src/model/rights.ts';
import { startTenants, type Tenants } from './access-under-test.ts';

/** Written out a second time: what a role may do is a promise. */
const promised: Readonly<Record<AccessRole, readonly string[]>> = {
  admin: ['read', 'invoke', 'change', 'steer', 'oversee', 'administer'],
  operator: ['read', 'invoke', 'steer', 'oversee'],
  developer: ['read', 'invoke', 'change', 'steer'],
  invoker: ['invoke'],
  viewer: ['read'],
};

interface Route {
  readonly method: string;
  /** As the document has it. */
  readonly path: string;
  readonly right: string | undefined;
  readonly scope: string | undefined;
  readonly isPublic: boolean;
}

async function routesOf(under: Tenants): Promise<Route[]> {
  const { json } = await under.call('/openapi.json', { token: null });
  return Object.entries(json['paths'] as Record<string, Record<string, Record<string, unknown>>>).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      right: operation['x-swiftlet-right'] as string | undefined,
      scope: operation['x-swiftlet-scope'] as string | undefined,
      isPublic: Array.isArray(operation['security']) && operation['security'].length === 0,
    })),
  );
}

const fill = (path: string, tenant: string): string =>
  path
    .replace('{name}', 'hello')
    .replace('{tenant}', tenant)
    .replace('{alias}', 'beta')
    .replace('{secret}', 'db')
    .replace('{layer}', 'libs')
    .replace('{pool}', 'heavy')
    .replace('{version}', '1')
    .replace('{network}', 'office')
    .replace('{network}', 'office')
    .replace('{digest}', 'a'.repeat(64))
    .replace('{requestId}', '0196b0f2-aaaa-7bbb-8ccc-000000000001')
    .replace('{id}', path.startsWith('/v1/tokens') ? '0123456789abcdef' : '0196b0f2-aaaa-7bbb-8ccc-00000000000e');

const bodyOf = (path: string): string => (path.includes('/dead-letters/') ? '{"all":true}' : '{}');

async function ask(
  under: Tenants,
  { method, path }: Route,
  token: string | null,
  tenant: string,
): Promise<{ status: number; code: string }> {
  const hasBody = method === 'PUT' || method === 'POST';
  const { status, headers } = await under.as(token, fill(path, tenant), {
    method,
    tenant,
    ...(hasBody && !path.startsWith('/v1/artifacts') ? { body: bodyOf(path) } : {}),
  });
  assert.equal(headers.get('cache-control'), 'no-store', `${method} ${path}`);
  return { status, code: headers.get('x-swiftlet-error') ?? 'ok' };
}

const isRefused = (code: string): boolean => ['Unauthorized', 'Forbidden', 'TenantNotFound'].includes(code);

/** What a role of the tenant may do by what the route says. */
const mayBy = (role: AccessRole, { right = '', scope }: Route): boolean =>
  scope === 'anyone' || (scope !== 'platform' && promised[role].includes(right));

async function opened(t: TestContext) {
  const under = await startTenants(t);
  for (const tenant of ['acme', 'other']) {
    assert.equal((await under.createTenant(tenant)).status, 201);
    assert.equal((await under.deploy(tenant, 'hello')).status, 201);
  }
  return { under, routes: (await routesOf(under)).filter(({ isPublic }) => !isPublic) };
}

it('says of every route what it needs', async (t) => {
  const { routes } = await opened(t);
  assert.ok(routes.length > 30);
  assert.deepEqual(
    routes.filter(({ right, scope }) => right === undefined || scope === undefined),
    [],
    'a route without `config: needs(…)`',
  );
});

it('refuses whoever has no token, a wrong one, or one that has expired', async (t) => {
  const { under, routes } = await opened(t);
  const until = Date.now() + 1_000;
  const expiring = await under.createToken('acme', 'admin', { expiresAt: new Date(until).toISOString() });
  for (const route of routes)
    assert.deepEqual(await ask(under, route, null, 'acme'), { status: 401, code: 'Unauthorized' }, `${route.method} ${route.path}`);
  while (Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
  const [wrong] = routes;
  assert.ok(wrong);
  assert.equal((await ask(under, wrong, 'wrong', 'acme')).code, 'Unauthorized');
  for (const route of routes.slice(0, 20))
    assert.deepEqual(await ask(under, route, expiring.token, 'acme'), { status: 401, code: 'Unauthorized' });
});

it('another tenant’s things are 404, whatever the role there', async (t) => {
  const { under, routes } = await opened(t);
  for (const role of accessRoles) {
    const { token } = await under.createToken('other', role);
    for (const route of routes) {
      const { status, code } = await ask(under, route, token, 'acme');
      const wanted = route.scope === 'platform' ? [403, 'Forbidden'] : [404, 'TenantNotFound'];
      assert.deepEqual([status, code], wanted, `${role} of other: ${route.method} ${route.path}`);
    }
  }
});

it('has no way around: every other method of a path is 405, whoever asks', async (t) => {
  const { under, routes } = await opened(t);
  const { token } = await under.createToken('other', 'admin');
  // One path may be another one's: `/v1/dead-letters/redrive` is `/v1/dead-letters/{id}`, too.
  const shapes = routes.map(({ method, path }) => new RegExp(`^${method} ${path.replace(/\{\w+\}/g, '[^/]+')}$`));
  for (const path of new Set(routes.map((route) => fill(route.path, 'acme'))))
    for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (shapes.some((shape) => shape.test(`${method} ${path}`))) continue;
      for (const given of [null, token])
        assert.equal((await under.as(given, path, { method, tenant: 'acme' })).status, 405, `${method} ${path}`);
    }
});

for (const role of accessRoles)
  it(`lets a tenant’s ${role} do what the role may, and nothing else`, async (t) => {
    const { under, routes } = await opened(t);
    const { token } = await under.createToken('acme', role);
    const judged = routes.map((route) => ({ route, may: mayBy(role, route) }));
    // What is refused first: what is allowed may remove what is asked for.
    for (const { route, may } of judged.toSorted((one, other) => Number(one.may) - Number(other.may))) {
      const { status, code } = await ask(under, route, token, 'acme');
      const what = `${role}: ${route.method} ${route.path} (${route.right ?? ''}) was ${status} ${code}`;
      if (may) assert.ok(!isRefused(code) && status !== 401 && status !== 403, what);
      else assert.deepEqual([status, code], [403, 'Forbidden'], what);
    }
  });

it('a token for one function sees that one only', async (t) => {
  const { under, routes } = await opened(t);
  assert.equal((await under.deploy('acme', 'third')).status, 201);
  const { token } = await under.createToken('acme', 'developer', { functions: ['third'] });
  for (const route of routes.filter(({ path }) => path.startsWith('/v1/functions/{name}')))
    assert.deepEqual(await ask(under, route, token, 'acme'), { status: 404, code: 'FunctionNotFound' }, `${route.method} ${route.path}`);
  const { json } = await under.as(token, '/v1/functions');
  assert.deepEqual(
    (json['functions'] as { name: string }[]).map(({ name }) => name),
    ['third'],
  );
  assert.equal((await under.as(token, '/v1/functions/third')).status, 200);
  assert.equal((await under.as(token, '/v1/usage')).status, 403);
  assert.equal((await under.as(token, '/v1/usage?function=third')).status, 200);
  assert.equal((await under.as(token, '/v1/usage?function=hello')).status, 404);
  assert.equal((await under.deploy('acme', 'third', { token, content: 'export const handler = () => 2;' })).status, 200);
  assert.equal((await under.deploy('acme', 'hello', { token })).status, 404);
});
