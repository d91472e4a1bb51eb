import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { conditionOf } from '../../src/control/api/conditions.ts';
import { methodsOf } from '../../src/control/api/route-methods.ts';
import { behind } from '../../src/control/function-logs.ts';
import { GuessLimit } from '../../src/wire/guess-limit.ts';
import { checkHandler, handlerFiles } from '../../src/control/handler-file.ts';
import { versionsToDrop } from '../../src/control/retention.ts';
import { authenticate, bearerToken } from '../../src/wire/authentication.ts';

describe('which versions are dropped', () => {
  const cases: readonly (readonly [numbers: number[], serving: number, kept: number, dropped: number[]])[] = [
    [[], 1, 10, []],
    [[1], 1, 10, []],
    [[3, 2, 1], 3, 2, [1]],
    [[1, 2, 3], 1, 2, []],
    [[5, 4, 3, 2, 1], 2, 2, [3, 1]],
    [[5, 4], 5, 0, [4]],
  ];
  for (const [numbers, serving, kept, dropped] of cases) {
    it(`of ${numbers.join()} with ${serving} serving and ${kept} kept: ${dropped.join() || 'none'}`, () => {
      assert.deepEqual(versionsToDrop(numbers, new Set([serving]), kept), dropped);
    });
  }
});

describe('whether a bundle has a handler’s file', () => {
  const files = ['index.ts', 'lib/api.mjs', 'nested/index.js', 'app/package.json', 'app/src/main.js', 'run', 'a.b.js'];
  for (const handler of [
    'index',
    'index.handler',
    'lib/api',
    'lib/api.default',
    './lib/api.get',
    'nested',
    'nested.handler',
    'app',
    'run',
    'a.b',
    'a.b.handler',
  ]) {
    it(`has ${handler}`, () => checkHandler(handler, files));
  }
  for (const handler of ['indx', 'indx.handler', 'lib', 'api.mjs.x', 'src/main.handler']) {
    it(`has no ${handler}, and says what there is`, () => {
      assert.throws(() => checkHandler(handler, files), {
        code: 'HandlerNotFound',
        place: 'config.handler',
        message: /needs a file.*the bundle has .*index\.ts.*Set "handler"/,
      });
    });
  }
  it('names what is most alike first', () => {
    assert.throws(() => checkHandler('lib/apj.handler', files), { message: /the bundle has lib\/api\.mjs, / });
    assert.throws(() => checkHandler('index', ['readme.md']), { message: /no module at all/ });
  });
  it('is quick whatever the names', () => {
    const many = Array.from({ length: 50_000 }, (_, i) => `${'d/'.repeat(100)}${i}.js`);
    const started = performance.now();
    assert.throws(() => checkHandler('x'.repeat(250), many), { code: 'HandlerNotFound' });
    assert.ok(performance.now() - started < 1_000);
  });
  it('knows how Python writes it', () => {
    const modules = ['main.py', 'shop/__init__.py', 'shop/orders.py', 'lib.js'];
    for (const handler of [
      'main',
      'main.handler',
      'shop.handler',
      'shop.orders.handler',
      'shop/orders.handler',
      './shop/orders',
      'shop.orders',
    ])
      checkHandler(handler, modules, 'python');
    for (const handler of ['man.handler', 'lib.handler', 'orders.handler']) {
      assert.throws(() => checkHandler(handler, modules, 'python'), {
        code: 'HandlerNotFound',
        message: /with the extension \.py; the bundle has .*main\.py.*Set "handler" to "module\.function"$/,
      });
    }
    assert.throws(() => checkHandler('main.handler', modules), {
      message: /the bundle has lib\.js.*for Python set "runtime" to python3, too$/,
    });
  });
  it('does not look among dependencies', () => {
    const files = ['node_modules/a/index.js', 'lib/node_modules/b.js', 'my_node_modules/c.js', 'site-packages/flask/app.py'];
    assert.deepEqual(handlerFiles(files), ['my_node_modules/c.js']);
  });
});

describe('wrong guesses', () => {
  it('are limited by source, and forgiven with time', () => {
    const limit = new GuessLimit();
    for (let i = 0; i < 30; i += 1) assert.equal(limit.wrong('a', 0), undefined);
    assert.equal(limit.wrong('a', 0), 2);
    assert.equal(limit.wrong('b', 0), undefined);
    assert.equal(limit.wrong('a', 1_000), 1);
    assert.equal(limit.wrong('a', 2_000), undefined);
    assert.equal(limit.wrong('a', 2_000), 2);
    for (let i = 0; i < 30; i += 1) assert.equal(limit.wrong('a', 200_000), undefined);
  });
  it('of many sources take little memory', () => {
    const limit = new GuessLimit();
    for (let i = 0; i < 50_000; i += 1) limit.wrong(`source ${i}`, i);
    for (let i = 0; i < 30; i += 1) assert.equal(limit.wrong('source 49999', 50_000), i < 29 ? undefined : 2);
  });
});

describe('tokens', () => {
  const hash = (token: string) => createHash('sha256').update(token).digest('hex');
  it('are read from their header', () => {
    for (const [header, token] of [
      [undefined, undefined],
      ['', undefined],
      ['Basic abc', undefined],
      ['Bearer', undefined],
      ['Bearer ', undefined],
      ['Bearer a b', undefined],
      ['Bearer abc', 'abc'],
      ['bearer  abc ', 'abc'],
    ] as const) {
      assert.equal(bearerToken(header), token, String(header));
    }
  });
  it('are known by their hash', () => {
    const isKnown = (token: string, tokenHashes: string[]) => authenticate(token, { tokenHashes, tokens: new Map() }, 0).kind === 'known';
    assert.equal(isKnown('secret', [hash('other'), hash('secret')]), true);
    assert.equal(isKnown('Secret', [hash('secret')]), false);
    assert.equal(isKnown('secret', []), false);
    assert.equal(isKnown('secret', ['', 'zz']), false);
    assert.equal(isKnown(hash('secret'), [hash('secret')]), false);
  });
});

describe('conditions', () => {
  it('are entity tags, a star for none, or no condition', () => {
    assert.equal(conditionOf({}), undefined);
    assert.equal(conditionOf({ 'if-match': '"12"' }), 12);
    assert.equal(conditionOf({ 'if-match': '12' }), 12);
    assert.equal(conditionOf({ 'if-none-match': '*' }), 'none');
    for (const tag of ['W/"1"', 'x', '"1", "2"', '-1', ''])
      assert.throws(() => conditionOf({ 'if-match': tag }), { code: 'BadRequest' }, tag);
  });
});

describe('the methods of a path', () => {
  const routes = [
    { method: 'GET', url: '/v1/functions/:name' },
    { method: 'PUT', url: '/v1/functions/:name' },
    { method: 'GET', url: '/docs/static/*' },
  ];
  for (const [path, methods] of [
    ['/v1/functions/a', ['GET', 'PUT']],
    ['/v1/functions/', []],
    ['/v1/functions', []],
    ['/docs/static/a/b', ['GET']],
    ['/', []],
  ] as const) {
    it(`${path}: ${methods.join() || 'none'}`, () => assert.deepEqual(methodsOf(routes, path), methods));
  }
});

describe('records that were read and followed at once', () => {
  for (const [read, followed, rest] of [
    ['abc', 'cde', 'de'],
    ['abc', 'def', 'def'],
    ['', 'ab', 'ab'],
    ['abc', '', ''],
    ['aab', 'ab', ''],
    ['abc', 'abcd', 'd'],
    ['xbc', 'abcd', 'abcd'],
  ] as const) {
    it(`${read} then ${followed}: ${rest}`, () => assert.deepEqual(behind(Array.from(read), Array.from(followed)), Array.from(rest)));
  }
});
