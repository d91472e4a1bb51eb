/** What a function's `network` may say, and how it is read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkPolicySchema, policyText } from '../../src/model/network-policy.ts';
import { hasName, means, parseTarget } from '../../src/model/network-target.ts';

test('targets are ranges, addresses and names, with ports or without', () => {
  assert.deepEqual(parseTarget('203.0.113.0/24').to, { kind: 'range', family: 4, address: '203.0.113.0', prefix: 24 });
  assert.deepEqual(parseTarget('198.51.100.7:443'), {
    text: '198.51.100.7:443',
    to: { kind: 'range', family: 4, address: '198.51.100.7', prefix: 32 },
    ports: { from: 443, to: 443 },
  });
  assert.deepEqual(parseTarget('[2001:db8::/32]:8000-8080').ports, { from: 8000, to: 8080 });
  assert.deepEqual(parseTarget('2001:db8::1').to, { kind: 'range', family: 6, address: '2001:db8::1', prefix: 128 });
  assert.deepEqual(parseTarget('API.Example.com:443').to, { kind: 'name', name: 'api.example.com', isWildcard: false });
  assert.deepEqual(parseTarget('*.example.com').to, { kind: 'name', name: 'example.com', isWildcard: true });
  assert.deepEqual(parseTarget('*:25'), { text: '*:25', to: { kind: 'any' }, ports: { from: 25, to: 25 } });
});

const wrong: readonly [text: string, why: RegExp][] = [
  ['203.0.113.7/24', /bits behind its prefix; the range is 203\.0\.113\.0\/24/],
  ['2001:db8::1/32', /the range is 2001:db8::\/32/],
  ['203.0.113.0/33', /no address and no range/],
  ['10.1/16', /no address and no range/],
  ['0x7f.1', /no address/],
  ['010.0.0.1', /no address/],
  ['::ffff:10.0.0.1', /in the clothes of IPv6/],
  ['300.1.1.1', /no address/],
  ['api.example.com:0', /no port/],
  ['api.example.com:80-70', /no port/],
  ['api.example.com:http', /no port/],
  ['a..b', /no host name/],
  ['*.*.example.com', /no host name/],
  ['http://example.com', /no port|no address/],
  ['', /no host name/],
  ['a b', /no host name/],
];
for (const [text, why] of wrong) test(`"${text}" is refused with what is wrong with it`, () => assert.throws(() => parseTarget(text), why));

test('what a target means', () => {
  const cases: readonly [target: string, address: string, port: number | undefined, expected: boolean][] = [
    ['203.0.113.0/24', '203.0.113.9', 80, true],
    ['203.0.113.0/24', '203.0.114.9', 80, false],
    ['203.0.113.0/24:443', '203.0.113.9', 80, false],
    ['203.0.113.0/24:443', '203.0.113.9', undefined, false],
    ['203.0.113.0/24', '::ffff:203.0.113.9', 80, true],
    ['*:25', '2001:db8::1', 25, true],
    ['2001:db8::/32', '203.0.113.9', 80, false],
    ['example.com', '203.0.113.9', 80, false],
  ];
  for (const [target, address, port, expected] of cases) assert.equal(means(parseTarget(target), address, port), expected, target);
  assert.ok(hasName(parseTarget('*.example.com'), 'a.b.example.com'));
  assert.ok(!hasName(parseTarget('*.example.com'), 'example.com'));
  assert.ok(!hasName(parseTarget('*.example.com'), 'badexample.com'));
});

test('a policy says none, internet, or lists; everything else is told what it could be', () => {
  for (const policy of ['none', 'internet', { allow: [] }, { deny: ['*:25'] }]) assert.ok(networkPolicySchema.safeParse(policy).success);
  const messages = (policy: unknown): string => JSON.stringify(networkPolicySchema.safeParse(policy).error?.issues);
  assert.match(messages('all'), /none, internet, or { allow/);
  assert.match(messages({}), /allow, deny or private/);
  assert.match(messages({ allow: ['10.0.0.1/8'] }), /the range is 10\.0\.0\.0\/8/);
  assert.match(messages({ allow: Array(65).fill('*:1') }), /at most 64/);
  assert.match(messages({ allows: ['*:1'] }), /allow and deny|allows/);
});

test('a policy in words', () => {
  assert.equal(policyText({ allow: ['a.example:443'], deny: ['*:25'] }), 'allow a.example:443; deny *:25');
  assert.equal(policyText({ allow: [] }), 'allow nothing');
  assert.equal(policyText('none'), 'none');
});
