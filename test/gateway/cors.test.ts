/** What browsers are told about calls from other origins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerHeaders, preflightHeaders, tidyCors } from '../../src/gateway/http/cors.ts';
import { corsSchema } from '../../src/model/cors.ts';

const app = 'https://app.example.com';
const named = corsSchema.parse({ origins: [app, 'https://*.shop.example:8443'], credentials: true, expose: ['x-total'] });
const any = corsSchema.parse({ origins: ['*'], methods: ['GET'], headers: ['x-key'], maxAgeMs: 60_000 });

const origins: readonly [origin: string | undefined, allowed: boolean][] = [
  [app, true],
  [`${app}.evil.example`, false],
  ['https://evil-app.example.com', false],
  ['http://app.example.com', false],
  ['https://app.example.com:8080', false],
  ['https://a.shop.example:8443', true],
  ['https://a.b.shop.example:8443', true],
  ['https://shop.example:8443', false],
  ['https://evil.example/.shop.example:8443', false],
  ['https://evil.example#.shop.example:8443', false],
  ['null', false],
  [undefined, false],
];
for (const [origin, allowed] of origins)
  test(`${origin ?? 'no origin'} is ${allowed ? 'allowed' : 'not allowed'}`, () => {
    const said = answerHeaders(named, origin);
    const whole = [
      'access-control-allow-origin',
      origin,
      'access-control-allow-credentials',
      'true',
      'access-control-expose-headers',
      'x-total',
    ];
    assert.deepEqual(said, allowed ? whole : []);
  });

test('a preflight is told what may be sent, and for how long that holds', () => {
  const vary = ['vary', 'origin, access-control-request-method, access-control-request-headers'];
  const ask = { 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-key, x-other' };
  const told = [...vary, 'access-control-allow-origin', '*', 'access-control-allow-methods', 'GET'];
  assert.deepEqual(preflightHeaders(any, { origin: app, ...ask }), [
    ...told,
    'access-control-allow-headers',
    'x-key',
    'access-control-max-age',
    '60',
  ]);
  assert.deepEqual(preflightHeaders(any, { origin: app, 'access-control-request-method': 'PUT' }), vary);
  assert.deepEqual(preflightHeaders(named, { origin: 'https://evil.example', ...ask }), vary);
  const each = preflightHeaders({ ...named, headers: ['*'] }, { origin: app, ...ask });
  assert.deepEqual(each.slice(-4, -2), ['access-control-allow-headers', 'x-key, x-other']);
});

test('what the function says of it itself is left out, and the answer is kept apart by origin', () => {
  const headers = ['access-control-allow-origin', '*', 'x-a', '1', 'vary', 'accept', 'access-control-max-age', '9'];
  tidyCors(named, headers);
  assert.deepEqual(headers, ['x-a', '1', 'vary', 'accept, origin']);
  const plain = ['access-control-allow-origin', app];
  tidyCors(any, plain);
  assert.deepEqual(plain, []);
});

test('any origin with credentials is refused', () => {
  assert.match(
    corsSchema.safeParse({ origins: ['*'], credentials: true }).error?.issues[0]?.message ?? '',
    /name the origins instead of \*/,
  );
});
