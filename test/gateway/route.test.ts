import assert from 'node:assert/strict';
import { test } from 'node:test';
import { route } from '../../src/gateway/route.ts';

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
    assert.deepEqual(route(target), { kind: 'function', key: `default/${name}`, name, rest });
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

test('the platform has a prefix of its own', () => {
  assert.deepEqual(route('/_/health?x'), { kind: 'platform', path: '/health' });
  assert.deepEqual(route('/'), { kind: 'root' });
});

test('a name of any length is no more than not found', () => {
  assert.deepEqual(route(`/${'a'.repeat(1000)}`), { kind: 'function', key: '', name: 'a'.repeat(1000), rest: '/' });
});
