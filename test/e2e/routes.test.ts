/** Routes on the real platform, and who may call functions at their addresses. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { after, before, test, type TestContext } from 'node:test';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { type E2e, eventually, openE2e } from './functions.ts';

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ environment: { SWIFTLET_WEBHOOK_ALLOW: '127.0.0.0/8' } });
});
after(() => e2e[Symbol.asyncDispose]());

/** `fetch` has no say in the host. @returns the answer's JSON */
function callAt(host: string, path: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${e2e.platform.gatewayUrl}${path}`, { headers: { host } }, (response) => {
      json(response).then((value) => resolve(value as Record<string, unknown>), reject);
    });
    request.once('error', reject).end();
  });
}

const seen = `export const handler = (event, context) => ({
  routeKey: event.routeKey, inContext: event.requestContext.routeKey, rawPath: event.rawPath, parameters: event.pathParameters,
  ofContext: context.pathParameters, version: context.functionVersion, body: event.body,
});`;

test('a function sees by which route a request came, and what its path had', async () => {
  await e2e.publish('users', seen, {
    routes: [
      { path: '/users/{id}/files/{path+}', methods: ['GET'] },
      { path: '/u/{id}', host: 'api.example.com' },
    ],
  });
  const byPath = await e2e.call('/users/caf%C3%A9/files/a%20b/c?x=1');
  assert.deepEqual(
    [byPath.json['routeKey'], byPath.json['inContext'], byPath.json['rawPath'], byPath.json['parameters'], byPath.json['ofContext']],
    [
      'GET /users/{id}/files/{path+}',
      'GET /users/{id}/files/{path+}',
      '/users/caf%C3%A9/files/a%20b/c',
      { id: 'café', path: 'a b/c' },
      { id: 'café', path: 'a b/c' },
    ],
  );
  const byHost = await callAt('api.example.com', '/u/7');
  assert.deepEqual([byHost['routeKey'], byHost['parameters']], ['ANY /u/{id}', { id: '7' }]);
  const elsewhere = await e2e.call('/u/7');
  assert.deepEqual([elsewhere.status, elsewhere.headers.get('x-swiftlet-error')], [404, 'FunctionNotFound']);
  const plain = await e2e.call('/users/other');
  assert.deepEqual([plain.json['routeKey'], plain.json['rawPath'], plain.json['parameters']], ['$default', '/other', undefined]);
});

/** What became of a request that nobody waited for. */
async function resultOf(id: unknown): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${e2e.platform.token}` };
  const event = await eventually(
    async () => (await e2e.call(`/_/events/${String(id)}`, { headers })).json,
    ({ state }) => state === 'succeeded',
  );
  return JSON.parse((event['result'] as { body: string }).body) as Record<string, unknown>;
}

test('a request that nobody waits for, and a CloudEvent, bring along by which route they came', async () => {
  await e2e.publish('later', seen, { routes: [{ path: '/later/{id}', methods: ['POST'] }] });
  const request = { method: 'POST', body: '{}', headers: { prefer: 'respond-async' } };
  const byRoute = await resultOf((await e2e.call('/later/caf%C3%A9', request)).json['id']);
  assert.deepEqual(
    [byRoute['routeKey'], byRoute['inContext'], byRoute['parameters'], byRoute['ofContext']],
    ['POST /later/{id}', 'POST /later/{id}', { id: 'café' }, { id: 'café' }],
  );
  const plain = await resultOf((await e2e.call('/later/', request)).json['id']);
  assert.deepEqual([plain['routeKey'], plain['parameters'], plain['ofContext']], ['$default', undefined, {}]);
  const code = 'export const handler = (event, context) => ({ parameters: context.pathParameters });';
  await e2e.publish('noting', code, { events: 'cloudevents', routes: [{ path: '/notes/{id}' }] });
  const event = { 'ce-id': '1', 'ce-source': '/tests', 'ce-type': 'noted', 'ce-specversion': '1.0' };
  assert.deepEqual((await e2e.call('/notes/7', { method: 'POST', headers: event })).json, { parameters: { id: '7' } });
  const stored = await e2e.call('/notes/8', { method: 'POST', headers: { ...event, 'ce-id': '2', prefer: 'respond-async' } });
  assert.deepEqual(await resultOf(stored.json['id']), { parameters: { id: '8' } });
});

test('a web-standard handler gets the request as it is, and the parameters beside it', async () => {
  const code = `export default { fetch: (request, env, context) =>
    Response.json({ path: new URL(request.url).pathname, parameters: (context ?? env).pathParameters }) };`;
  await e2e.publish('web', code, { routes: [{ path: '/shop/{item}' }] });
  assert.deepEqual((await e2e.call('/shop/tea')).json, { path: '/shop/tea', parameters: { item: 'tea' } });
});

test('what two functions want is refused with both names, and the API lists who has what', async () => {
  await e2e.publish('first', seen, { routes: [{ path: '/taken/{a}', methods: ['GET'] }] });
  await assert.rejects(
    e2e.publish('second', seen, { routes: [{ path: '/taken/{b}', methods: ['GET', 'PUT'] }] }),
    /RouteConflict.*function \\?"second\\?" wants GET \/taken\/\{b\}, which function \\?"first\\?" has/s,
  );
  const response = await fetch(`${e2e.platform.apiUrl}/v1/routes`, { headers: { authorization: `Bearer ${e2e.platform.token}` } });
  const { routes } = (await response.json()) as { routes: Record<string, string>[] };
  assert.deepEqual(
    routes.filter(({ path = '' }) => path.startsWith('/taken')),
    [{ method: 'GET', path: '/taken/{a}', function: 'first' }],
  );
  const other = await e2e.call('/taken/x', { method: 'PUT' });
  assert.deepEqual([other.status, other.headers.get('allow'), other.json['code']], [405, 'GET', 'MethodNotAllowed']);
});

test('what a route limits holds for its requests, and the error names the limit', async () => {
  const code = `export const handler = async (event) => {
    await new Promise((resolve) => setTimeout(resolve, Number(event.queryStringParameters?.ms ?? 0)));
    return 'done';
  };`;
  await e2e.publish('limited', code, {
    routes: [
      { path: '/small', maxBodyBytes: 10, maxHeaderBytes: 1_024 },
      { path: '/quick', timeoutMs: 300 },
      { path: '/rare', rates: [{ perSecond: 0.001, burst: 1 }] },
    ],
  });
  const codeOf = async (path: string, init?: RequestInit) => {
    const { status, json, text } = await e2e.call(path, init);
    return status === 200 ? (JSON.parse(text) as unknown) : [status, json['code'], json['limit']];
  };
  assert.equal(await codeOf('/small', { method: 'POST', body: '1234567890' }), 'done');
  assert.deepEqual(await codeOf('/small', { method: 'POST', body: '12345678901' }), [413, 'RequestTooLarge', '10 bytes']);
  const chunked = { method: 'POST', body: new Blob(['12345678901']).stream(), duplex: 'half' } as RequestInit;
  assert.deepEqual(await codeOf('/small', chunked), [413, 'RequestTooLarge', '10 bytes']);
  assert.deepEqual(await codeOf('/small', { headers: { 'x-long': 'x'.repeat(1_000) } }), [431, 'HeadersTooLarge', '1024 bytes']);
  assert.equal(await codeOf('/limited/?ms=400'), 'done');
  assert.deepEqual(await codeOf('/quick?ms=5000'), [504, 'Timeout', '300 ms of the route ANY /quick']);
  assert.deepEqual(await codeOf('/quick?ms=5000', { headers: { 'x-swiftlet-timeout': '100ms' } }), [
    504,
    'DeadlineExceeded',
    'x-swiftlet-timeout of 100 ms',
  ]);
  assert.equal(await codeOf('/rare'), 'done');
  assert.deepEqual(await codeOf('/rare'), [429, 'RateLimited', '0.001 requests/s (burst 1)']);
  assert.equal(await codeOf('/limited/'), 'done');
});

test('a page of another origin is answered as the function says, and asks without waking it', async () => {
  const origin = 'https://app.example.com';
  const code = `export const handler = (event) => {
    if (event.rawPath === '/fail') throw new Error('no');
    return { statusCode: 200, headers: { 'access-control-allow-origin': 'https://own.example', vary: 'accept' }, body: 'x' };
  };`;
  await e2e.publish('paged', code, {
    url: 'token',
    cors: { origins: [origin], credentials: true, headers: ['authorization'], expose: ['x-total'] },
    routes: [{ path: '/paged/routed', methods: ['PUT'] }],
  });
  const preflight = { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'PUT' } };
  for (const path of ['/paged/', '/paged/routed']) {
    const asked = await e2e.call(path, preflight);
    assert.deepEqual(
      [asked.status, ...['origin', 'methods', 'headers', 'credentials', 'max-age'].map(allowIn(asked.headers))],
      [204, origin, 'PUT', 'authorization', 'true', '3600'],
    );
  }
  assert.deepEqual(await e2e.log('paged'), []);
  const headers = { origin, authorization: `Bearer ${e2e.platform.token}` };
  const answers = [
    await e2e.call('/paged/', { headers }),
    await e2e.call('/paged/fail', { headers }),
    await e2e.call('/paged/', preflightless(origin)),
  ];
  assert.deepEqual(
    answers.map(({ status, headers: said }) => [
      status,
      allowIn(said)('origin'),
      said.get('vary'),
      said.get('access-control-expose-headers'),
    ]),
    [
      [200, origin, 'accept, origin', 'x-total'],
      [502, origin, 'origin', 'x-total'],
      [401, origin, 'origin', 'x-total'],
    ],
  );
  const other = await e2e.call('/paged/', { headers: { ...headers, origin: 'https://evil.example' } });
  assert.deepEqual([other.status, allowIn(other.headers)('origin'), other.headers.get('vary')], [200, null, 'accept, origin']);
});

const preflightless = (origin: string): RequestInit => ({ headers: { origin } });
const allowIn = (headers: Headers) => (what: string) =>
  headers.get(what === 'max-age' ? 'access-control-max-age' : `access-control-allow-${what}`);

/** An issuer with keys of its own, as `keys` has them. */
async function openIssuer(t: TestContext) {
  const keys: JWK[] = [];
  const privateKeys = new Map<string, CryptoKey>();
  const server = createServer((_request, response) => response.end(JSON.stringify({ keys })));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    async addKey(kid: string) {
      const { privateKey, publicKey } = await generateKeyPair('ES256');
      privateKeys.set(kid, privateKey);
      keys.push({ ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' });
    },
    async sign(claims: Record<string, unknown>, kid = 'first') {
      const token = new SignJWT({ aud: 'shop', exp: Math.floor(Date.now() / 1_000) + 60, ...claims });
      return token
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer(issuer)
        .sign(privateKeys.get(kid) ?? assert.fail());
    },
  };
}

const told = `export const handler = (event, context) =>
  ({ authorizer: event.requestContext.authorizer, claims: context.claims, routeKey: event.routeKey, body: event.body });`;

test('an address that wants a token of an issuer takes those that are for it, and tells the function what they say', async (t) => {
  const shop = await openIssuer(t);
  await shop.addKey('first');
  await e2e.publish('membership', told, { url: { kind: 'jwt', issuer: shop.issuer, audience: ['shop'], jwksUri: `${shop.issuer}/keys` } });
  const calledWith = async (token: string | undefined) =>
    e2e.call('/membership/', token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
  const token = await shop.sign({ sub: 'ada', scope: 'read write', roles: ['a', 'b'], level: 3 });
  // Whoever comes before control has read the keys is told to come again.
  const answer = await eventually(
    () => calledWith(token),
    ({ status }) => status !== 503,
  );
  const { jwt } = answer.json['authorizer'] as { jwt: { claims: Record<string, string>; scopes: string[] } };
  const { sub, roles, level } = jwt.claims;
  assert.deepEqual([answer.status, jwt.scopes, sub, roles, level], [200, ['read', 'write'], 'ada', '["a","b"]', '3']);
  assert.deepEqual([answer.json['claims'], answer.json['routeKey']], [jwt.claims, '$default']);
  const wrong: readonly [string | undefined, RegExp][] = [
    [undefined, /this needs a token: send one of .* for shop/],
    [e2e.platform.token, /the token is not known/],
    [await shop.sign({ sub: 'ada', aud: 'other' }), /for somebody else/],
    [await shop.sign({ sub: 'ada', exp: 1 }), /has expired/],
    [`${token.slice(0, -4)}AAAA`, /the token is not known/],
    [unsigned(shop.issuer), /the token is not known/],
  ];
  for (const [sent, why] of wrong) {
    const refused = await calledWith(sent);
    assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, 'Bearer realm="swiftlet"']);
    assert.match(String(refused.json['detail']), why);
  }
  const later = await e2e.call('/membership/', { headers: { authorization: `Bearer ${token}`, prefer: 'respond-async' } });
  assert.deepEqual((await resultOf(later.json['id']))['claims'], jwt.claims);
  await shop.addKey('second');
  assert.equal((await calledWith(await shop.sign({ sub: 'ada' }, 'second'))).status, 200);
});

const unsigned = (issuer: string): string =>
  [{ alg: 'none' }, { iss: issuer, aud: 'shop', exp: 4_000_000_000 }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.') + '.';

const secret = 'a secret of both sides';

interface Signed {
  readonly method?: string;
  readonly body?: string;
  readonly nonce?: string;
  readonly secret?: string;
  readonly offSeconds?: number;
}

function signed(target: string, { method = 'GET', body = '', nonce = randomUUID(), secret: with_ = secret, offSeconds = 0 }: Signed = {}) {
  const seconds = Math.floor(Date.now() / 1_000) + offSeconds;
  const mac = createHmac('sha256', with_).update(`${seconds}\n${nonce}\n${method}\n${target}\n${body}`).digest('hex');
  return { method, headers: { 'x-swiftlet-signature': `t=${seconds},n=${nonce},v1=${mac}` }, ...(body === '' ? {} : { body }) };
}

test('an address that wants a signature takes each request once, as it was signed, and while it is fresh', async () => {
  const config = {
    url: { kind: 'hmac' as const, secretVariables: ['NEW', 'SIGNED_WITH'], skewMs: 60_000 },
    secrets: { NEW: { secret: 'callers' } },
  };
  const put = { method: 'PUT', body: JSON.stringify({ value: 'the newer secret' }) };
  const headers = { authorization: `Bearer ${e2e.platform.token}`, 'content-type': 'application/json' };
  assert.equal((await fetch(`${e2e.platform.apiUrl}/v1/secrets/callers`, { ...put, headers })).status, 201);
  await e2e.publish('signed', told, {
    ...config,
    environment: { SIGNED_WITH: secret },
    routes: [{ path: '/sign/{it}', methods: ['POST'] }],
  });
  const body = 'x'.repeat(700_000);
  const whole = await e2e.call('/signed/?a=1', signed('/signed/?a=1', { method: 'POST', body }));
  assert.deepEqual([whole.status, whole.json['body']], [200, body]);
  assert.equal((await e2e.call('/sign/7', signed('/sign/7', { method: 'POST' }))).json['routeKey'], 'POST /sign/{it}');
  assert.equal((await e2e.call('/signed/', signed('/signed/', { secret: 'the newer secret' }))).status, 200);
  const once_ = signed('/signed/');
  assert.equal((await e2e.call('/signed/', once_)).status, 200);
  const refusals: readonly [init: RequestInit, why: RegExp][] = [
    [once_, /a request with this nonce came before/],
    [{}, /this needs x-swiftlet-signature/],
    [signed('/signed/', { offSeconds: -120 }), /time is 1\d\d s off, and may be 60 s/],
    [signed('/signed/', { offSeconds: 120 }), /s off, and may be 60 s/],
    [signed('/signed/', { secret: 'another' }), /the signature is wrong/],
    [signed('/signed/?other'), /the signature is wrong/],
    [{ ...signed('/signed/', { method: 'POST', body: 'one' }), body: 'two' }, /the signature is wrong/],
    [{ ...signed('/signed/'), method: 'DELETE' }, /the signature is wrong/],
    [{ headers: { authorization: `Bearer ${e2e.platform.token}` } }, /this needs x-swiftlet-signature/],
  ];
  for (const [init, why] of refusals) {
    const refused = await e2e.call('/signed/', init);
    assert.deepEqual([refused.status, refused.json['code']], [401, 'Unauthorized'], String(why));
    assert.match(String(refused.json['detail']), why);
  }
  const later = signed('/signed/', { method: 'POST', body: '{}' });
  const accepted = await e2e.call('/signed/', { ...later, headers: { ...later.headers, prefer: 'respond-async' } });
  assert.equal(accepted.status, 202);
});
