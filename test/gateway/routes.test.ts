/** Which route a request takes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { route } from '../../src/gateway/routing/route.ts';
import { refusedByRoute } from '../../src/gateway/routing/route-limits.ts';
import { RouteTable } from '../../src/gateway/routing/route-table.ts';
import type { Version } from '../../src/model/function.ts';
import { type HttpRoute, routeSchema, routesSchema } from '../../src/model/http-route.ts';
import { functionKey } from '../../src/wire/published-state.ts';
import { version } from './starting-instance.ts';

type Said = Partial<HttpRoute> & Pick<HttpRoute, 'path'>;

function serving(name: string, routes: readonly Said[], tenant = 'default'): [key: string, version: Version] {
  const config = { ...version.config, routes: routesSchema.parse(routes) };
  return [functionKey(tenant, name), { ...version, tenant, function: name, config }];
}

/** Which function gets a request, by which route, with which values; or why none does. */
function wayOf(table: RouteTable, line: string, more: Record<string, string> = {}): string {
  const [method = '', host = '', target = ''] = /^(\w+) ([^/]*)(.*)$/.exec(line)?.slice(1) ?? [];
  const way = table.lead(route(target), { method, url: target, headers: { host: host || 'gateway', ...more } });
  if (way.kind === 'other methods') return `only ${way.methods.join(' ')}`;
  if (way.kind !== 'function') return way.kind;
  const by = way.taken === undefined ? 'address' : [way.taken.open.routeKey, ...way.taken.values].join(' ');
  return `${way.isPreflight === true ? 'preflight ' : ''}${way.key} ${way.rest} by ${by}`;
}

const table = new RouteTable();
const functions = new Map([
  serving('users', [
    { path: '/users/{id}', methods: ['GET'] },
    { path: '/users/me', methods: ['GET'] },
    { path: '/users', methods: ['POST', 'GET'] },
    { path: '/users/{id}/files/{path+}' },
    { path: '/users/{id}/files/list', methods: ['POST'], alias: 'beta' },
  ]),
  serving('site', [{ path: '/{page}' }, { path: '/', methods: ['GET'] }]),
  serving('api', [
    { path: '/users/{id}', host: 'api.example.com' },
    { path: '/{all+}', host: '*.example.com', methods: ['GET'] },
  ]),
  serving('hello', []),
  serving('theirs', [{ path: '/users/{id}' }, { path: '/' }], 'acme'),
]);
table.take({ functions });

const ways: readonly [line: string, way: string][] = [
  ['GET /users/7?x=/users/me', 'default/users /users/7?x=/users/me by GET /users/{id} 7'],
  ['HEAD /users/7/', 'default/users /users/7/ by GET /users/{id} 7'],
  ['GET /users/me', 'default/users /users/me by GET /users/me'],
  ['GET /users', 'default/users /users by GET /users'],
  ['GET /users/', 'default/users /users/ by GET /users'],
  ['DELETE /users/7/files/a/b%20c', 'default/users /users/7/files/a/b%20c by ANY /users/{id}/files/{path+} 7 a/b%20c'],
  // The text leads to another method only: the parameter is tried then.
  ['GET /users/7/files/list', 'default/users /users/7/files/list by ANY /users/{id}/files/{path+} 7 list'],
  ['POST /users/7/files/list', 'default/users:beta /users/7/files/list by POST /users/{id}/files/list 7'],
  // All that is below is one part at least.
  ['GET /users/7/files', 'default/users /7/files by address'],
  // The function has an address of its own, which its routes do not close.
  ['PATCH /users/7', 'default/users /7 by address'],
  ['GET /hello/x', 'default/hello /x by address'],
  ['GET /hello', 'default/hello / by address'],
  ['GET /imprint', 'default/site /imprint by ANY /{page} imprint'],
  ['GET /imprint/more', 'default/imprint /more by address'],
  ['GET /', 'default/site / by GET /'],
  ['POST /', 'only GET'],
  ['GET /_/health', 'platform'],
  ['GET //users/7', 'invalid'],
  ['GET /users/%2e%2e', 'invalid'],
  ['POST api.example.com/users/7', 'default/api /users/7 by ANY /users/{id} 7'],
  ['POST API.example.COM:8080/users/7', 'default/api /users/7 by ANY /users/{id} 7'],
  ['GET api.example.com/x/y', 'default/api /x/y by GET /{all+} x/y'],
  ['GET www.example.com/x/y', 'default/api /x/y by GET /{all+} x/y'],
  ['POST www.example.com/x/y', 'only GET'],
  ['GET a.b.example.com/x/y', 'default/x /y by address'],
  ['GET api.example.com/@acme/users/7', 'acme/theirs /users/7 by ANY /users/{id} 7'],
  ['GET /@acme/users/7?y', 'acme/theirs /users/7?y by ANY /users/{id} 7'],
  ['GET /@acme', 'acme/theirs / by ANY /'],
  ['GET /@acme?y', 'acme/theirs /?y by ANY /'],
  ['GET /@other/users/7', 'other/users /7 by address'],
];
for (const [line, way] of ways) test(`${line} → ${way}`, () => assert.equal(wayOf(table, line), way));

test('a browser’s question is for the route that it asks about', () => {
  assert.equal(
    wayOf(table, 'OPTIONS www.example.com/x/y', { 'access-control-request-method': 'GET' }),
    'preflight default/api /x/y by GET /{all+} x/y',
  );
  assert.equal(wayOf(table, 'OPTIONS www.example.com/x/y', { 'access-control-request-method': 'PUT' }), 'only GET');
});

test('routes come and go with their functions, and what did not change goes on counting', () => {
  const limited = { path: '/a', rates: [{ perSecond: 0.001, burst: 1 }] };
  const own = new RouteTable();
  const take = (...all: readonly [string, Version][]) => own.take({ functions: new Map(all) });
  const spent = () => {
    const way = own.lead(route('/a'), { method: 'GET', url: '/a', headers: { host: 'x' } });
    assert.ok(way.kind === 'function' && way.taken !== undefined);
    const request = { headers: {}, rawHeaders: [], socket: {} } as unknown as Parameters<typeof refusedByRoute>[1];
    return refusedByRoute(way.taken, request, 0)?.message;
  };
  take(serving('one', [limited]));
  assert.deepEqual([wayOf(own, 'GET /a'), spent()], ['default/one /a by ANY /a', undefined]);
  const [key, again] = serving('one', [limited]);
  take([key, { ...again, number: again.number + 1 }]);
  assert.match(spent() ?? '', /^route "ANY \/a" takes 0\.001 requests\/s .* raise its "rates"$/);
  take(serving('one', [{ path: '/b' }]), serving('two', [limited]));
  assert.deepEqual([wayOf(own, 'GET /a'), wayOf(own, 'GET /b')], ['default/two /a by ANY /a', 'default/one /b by ANY /b']);
  take(serving('two', [limited]));
  assert.equal(wayOf(own, 'GET /b'), 'default/b / by address');
  // Whoever has it next is known before it is taken from the one that had it.
  take(serving('next', [{ path: '/a', methods: ['GET', 'POST'] }, limited]), serving('two', []));
  assert.deepEqual([wayOf(own, 'POST /a'), wayOf(own, 'PUT /a')], ['default/next /a by POST /a', 'default/next /a by ANY /a']);
  take(serving('next', [{ path: '/a', methods: ['POST'] }]));
  assert.deepEqual([wayOf(own, 'POST /a'), wayOf(own, 'GET /a')], ['default/next /a by POST /a', 'only POST']);
  take();
  assert.equal(wayOf(own, 'GET /a'), 'default/a / by address');
});

const faults: readonly [said: object, fault: RegExp][] = [
  [{ path: 'users' }, /begins with \//],
  [{ path: '/users/' }, /leave out the \//],
  [{ path: '/a//b' }, /the part ""/],
  [{ path: '/a/../b' }, /the part "\.\."/],
  [{ path: '/a/(b|c)+' }, /the part/],
  [{ path: '/é' }, /the part "é"/],
  [{ path: '/{a}{b}' }, /the part/],
  [{ path: '/{__proto__}' }, /the part/],
  [{ path: '/{a}/{a}' }, /the same name/],
  [{ path: '/{a+}/b' }, /its last part/],
  [{ path: '/_/x' }, /the platform’s own/],
  [{ path: '/@acme/x' }, /the platform’s own/],
  [{ path: `/${'a/'.repeat(16)}b` }, /at most 16 parts/],
  [{ path: '/a', host: 'Example.com' }, /in lower case/],
  [{ path: '/a', host: 'a.*.com' }, /a host is like/],
  [{ path: '/a', methods: ['TRACE'] }, /Invalid option/],
];
for (const [said, fault] of faults)
  test(`refused: ${JSON.stringify(said)}`, () => {
    const parsed = routeSchema.safeParse(said);
    assert.match(parsed.error?.issues[0]?.message ?? 'accepted', fault);
  });

test('a function that has the same route twice is told which', () => {
  const parsed = routesSchema.safeParse([{ path: '/a/{x}' }, { path: '/a/{y}', methods: ['GET'] }, { path: '/a/{z}' }]);
  assert.deepEqual(
    [parsed.error?.issues[0]?.path, parsed.error?.issues[0]?.message],
    [[2, 'path'], 'ANY /a/{z} is taken by another route of it'],
  );
});
