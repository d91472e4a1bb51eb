import assert from 'node:assert/strict';
import { test } from 'node:test';
import { route } from '../../src/gateway/routing/route.ts';

const functions: [target: string, name: string, rest: string][] = [
  ['/hello', 'hello', '/'],
  ['/hello/', 'hello', '/'],
  ['/hello?a=1', 'hello', '/?a=1'],
  ['/hello/a/b?c=%2e%2e//', 'hello', '/a/b?c=%2e%2e//'],
  ['/hello/a%20b', 'hello', '/a%20b'],
  ['/__proto__/x', '__proto__', '/x'],
];
for (const [target, name, rest] of functions) {
  test(`${target} is for ${name}`, () => {
    assert.deepEqual(route(target), { kind: 'function', tenant: 'default', key: `default/${name}`, name, rest });
  });
}

for (const target of [
  '/a/../b',
  '/a/./b',
  '/..',
  '/a//b',
  '//a',
  '/a/%2e%2e/b',
  '/a/%2E/b',
  '/a%2fb',
  '/a%5cb',
  '/a\\b',
  '/a%00',
  '/a%zz',
  '/a%2',
  '/a%252e',
  'a',
  '*',
  'http://x/',
  '/a b',
  '/a\u00e9',
]) {
  test(`${target} is refused`, () => {
    assert.equal(route(target).kind, 'invalid');
  });
}

test('another tenant’s functions have its name before theirs', () => {
  const ofAcme = (name: string, rest: string) => ({ kind: 'function', tenant: 'acme', key: `acme/${name}`, name, rest });
  assert.deepEqual(route('/@acme/hello'), ofAcme('hello', '/'));
  assert.deepEqual(route('/@acme/hello/a?b=/@x'), ofAcme('hello', '/a?b=/@x'));
  assert.deepEqual(route('/@acme/hello:beta/'), ofAcme('hello:beta', '/'));
  assert.deepEqual(route('/@acme/_/health'), ofAcme('_', '/health'));
  for (const alone of ['/@acme', '/@acme/', '/@', '/@acme?x=/hello']) assert.deepEqual(route(alone), { kind: 'root' }, alone);
  for (const forged of ['/@acme/../default/hello', '/@acme//hello', '/@acme%2fhello']) assert.equal(route(forged).kind, 'invalid', forged);
  const odd = route('/@__proto__/hello');
  assert.ok(odd.kind === 'function' && odd.key === '__proto__/hello');
  assert.equal(route(`/@${'a'.repeat(200)}/hello`).kind === 'function' && 'key', 'key');
});

test('the platform has a prefix of its own', () => {
  assert.deepEqual(route('/_/health?x'), { kind: 'platform', path: '/health' });
  assert.deepEqual(route('/'), { kind: 'root' });
});

test('a name of any length is no more than not found', () => {
  assert.deepEqual(route(`/${'a'.repeat(1000)}`), { kind: 'function', tenant: 'default', key: '', name: 'a'.repeat(1000), rest: '/' });
});
