import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { contentsOfBundle } from '../../src/build/contents-of-bundle.ts';
import { inspectBundle } from '../../src/build/inspect-bundle.ts';
import { packBundle } from '../../src/build/bundle.ts';
import { Readable } from 'node:stream';
import { sizeLines } from '../../src/cli/size-text.ts';
import { adviseSize } from '../../src/control/sizes/advise-size.ts';
import type { SizeAdvice } from '../../src/model/size.ts';
import { folderOf } from './folder-of.ts';

const kibibyte = 1024;
const mebibyte = kibibyte * kibibyte;

/** @param sizes bytes by path @param texts files that tell of others */
function contents(sizes: Readonly<Record<string, number>>, texts: Readonly<Record<string, string>> = {}) {
  const all = { ...sizes, ...Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, text.length])) };
  const files = Object.entries(all).map(([name, size]) => {
    const [, inner = name] = name.split(/(?<=node_modules|site-packages)\//);
    return { name, executable: false, size, sha256: createHash('sha256').update(inner).digest('hex') };
  });
  return contentsOfBundle({ files, texts: new Map(Object.entries(texts)) });
}

const parts = (of: ReturnType<typeof contents>) => of.parts.map(({ kind, path, bytes, files }) => [kind, path, bytes, files]);
const needless = (of: ReturnType<typeof contents>) => of.needless.map(({ why, bytes, paths }) => [why, bytes, paths]);

describe('what a bundle’s files come to', () => {
  it('is told by package, innermost first, and by folder; the largest first, the small ones not at all', () => {
    const of = contents({
      'index.js': 100,
      'model.bin': 90 * kibibyte,
      'assets/a.png': 40 * kibibyte,
      'assets/b/c.png': 40 * kibibyte,
      'node_modules/@s/a/index.js': 60 * kibibyte,
      'node_modules/@s/a/node_modules/b/index.js': 50 * kibibyte,
      'node_modules/b/index.js': 30 * kibibyte,
      'node_modules/tiny/index.js': 10,
      'node_modules/.bin/b': 20 * kibibyte,
      'sub/node_modules/c/index.js': 70 * kibibyte,
    });
    assert.deepEqual(parts(of), [
      ['file', 'model.bin', 90 * kibibyte, 1],
      ['folder', 'assets', 80 * kibibyte, 2],
      ['npm', 'sub/node_modules/c', 70 * kibibyte, 1],
      ['npm', 'node_modules/@s/a', 60 * kibibyte, 1],
      ['npm', 'node_modules/@s/a/node_modules/b', 50 * kibibyte, 1],
      ['npm', 'node_modules/b', 30 * kibibyte, 1],
      ['folder', 'node_modules', 20 * kibibyte, 1],
    ]);
    assert.equal(of.files, 10);
  });

  it('is told by distribution in Python, by their lists; what Python compiled later is of who has the source', () => {
    const record = [
      'PIL/Image.py,sha256=x,1',
      '"pillow.libs/a,b.so",,',
      'shared/one.py,,',
      '../../bin/tool,,',
      'pillow-11.0.dist-info/RECORD,,',
    ].join('\n');
    const other = 'shared/two.py,,\n';
    const of = contents(
      {
        'app.py': 10,
        'site-packages/PIL/Image.py': 20 * kibibyte,
        'site-packages/PIL/__pycache__/Image.cpython-313.pyc': 20 * kibibyte,
        'site-packages/PIL/tests/test_a.py': 5 * kibibyte,
        'site-packages/pillow.libs/a,b.so': 30 * kibibyte,
        'site-packages/shared/one.py': kibibyte,
        'site-packages/shared/two.py': 20 * kibibyte,
        'site-packages/shared/__pycache__/two.cpython-313.pyc': 20 * kibibyte,
        'site-packages/unlisted/a.py': 17 * kibibyte,
      },
      { 'site-packages/pillow-11.0.dist-info/RECORD': record, 'site-packages/two_of-1.dist-info/RECORD': other },
    );
    const ofPillow = 76 * kibibyte + record.length;
    assert.deepEqual(parts(of), [
      ['python', 'site-packages/pillow', ofPillow, 6],
      ['python', 'site-packages/two_of', 40 * kibibyte, 2],
      ['folder', 'site-packages', 17 * kibibyte + other.length, 2],
    ]);
    assert.deepEqual(needless(of), [['tests', 5 * kibibyte, ['site-packages/pillow']]]);
  });

  it('has what no running code asks for: of packages, never of the function’s own files', () => {
    const of = contents({
      'test/own.test.js': 50 * kibibyte,
      'dist/index.js.map': 50 * kibibyte,
      'node_modules/a/index.js': 1,
      'node_modules/a/test/a.js': 2,
      'node_modules/a/lib/a.test.js': 4,
      'node_modules/a/lib/test/needed.js': 1,
      'node_modules/a/README.md': 8,
      'node_modules/a/index.js.map': 16,
      'node_modules/a/index.d.ts': 32,
      'node_modules/@types/node/index.d.ts': 64,
      'node_modules/test/index.js': 1,
    });
    assert.deepEqual(needless(of), [
      ['tests', 6, ['node_modules/a']],
      ['documents', 8, ['node_modules/a']],
      ['source maps', 16, ['node_modules/a']],
      ['types', 96, ['node_modules/@types/node', 'node_modules/a']],
    ]);
  });

  const sizes = { 'node_modules/lint/index.js': 100, 'node_modules/lint/index.d.ts': 20, 'node_modules/deep/index.js': 40 };
  const list = JSON.stringify({ dependencies: {}, devDependencies: { lint: '1' } });
  const lock = JSON.stringify({
    packages: { '': {}, 'node_modules/lint': { dev: true }, 'node_modules/deep': { dev: true, version: '1' } },
  });
  for (const [by, texts, bytes] of [
    ['package.json', { 'package.json': list }, 120],
    ['the lock', { 'package.json': list, 'package-lock.json': lock }, 160],
    ['what npm installed', { 'node_modules/.package-lock.json': lock }, 160],
    ['a lock that is none', { 'package-lock.json': '{', 'package.json': list }, 120],
  ] as const)
    it(`has development dependencies, as ${by} says`, () => {
      assert.equal(contents(sizes, texts).needless.find(({ why }) => why === 'development dependencies')?.bytes, bytes);
    });

  it('is of one content for the same package in another place, and of another for other files', async () => {
    const code = { 'node_modules/dep/index.js': 'x'.repeat(20 * kibibyte), 'package.json': '{}' };
    const contentIn = async (files: Record<string, string>) => {
      await using folder = await folderOf(files);
      const { bytes } = await packBundle(folder.path);
      const inspected = await inspectBundle(Readable.from([bytes]));
      assert.equal(inspected.texts.get('package.json'), '{}');
      return contentsOfBundle(inspected).parts.find(({ path }) => path === 'node_modules/dep')?.content;
    };
    const content = await contentIn({ ...code, 'index.js': 'one' });
    assert.equal(await contentIn({ ...code, 'index.js': 'another', 'b.js': '' }), content);
    assert.notEqual(await contentIn({ ...code, 'node_modules/dep/more.js': '' }), content);
  });
});

describe('advice on size', () => {
  const of = contents({
    'node_modules/used/index.js': 8 * mebibyte,
    'node_modules/used/index.js.map': 2 * mebibyte,
    'node_modules/left/index.js': 3 * mebibyte,
    'node_modules/left/a.test.js': mebibyte,
    'node_modules/@types/a/index.d.ts': mebibyte,
  });
  const contentOf = (path: string) => of.parts.find((part) => part.path === path)?.content ?? '';

  it('has what nothing imports where that is known, each byte once', () => {
    assert.deepEqual(
      adviseSize(of, [], ['node_modules/used']).unused.map(({ why, bytes, paths }) => [why, bytes / mebibyte, paths]),
      [
        ['not imported', 3, ['node_modules/left']],
        ['source maps', 2, ['node_modules/used']],
        ['tests', 1, ['node_modules/left']],
        ['types', 1, ['node_modules/@types/a']],
      ],
    );
    assert.ok(adviseSize(of, []).unused.every(({ why }) => why !== 'not imported'));
  });

  it('has what other bundles have, too, by function and bundle', () => {
    const content = contentOf('node_modules/used');
    const alone = { content: contentOf('node_modules/left'), function: 'a', digest: '1' };
    const uses = [
      alone,
      { content, function: 'b', digest: '2' },
      { content, function: 'a', digest: '1' },
      { content, function: 'a', digest: '3' },
    ];
    assert.deepEqual(adviseSize(of, uses).shared, [{ path: 'node_modules/used', bytes: 10 * mebibyte, functions: ['a', 'b'], copies: 3 }]);
  });

  it('is a few lines where it is worth them, and none for what is small, used or nobody else’s', () => {
    const advice = (change: Partial<SizeAdvice>): SizeAdvice => ({ bytes: 100, files: 1, largest: [], unused: [], shared: [], ...change });
    assert.deepEqual(sizeLines(undefined, true), []);
    assert.deepEqual(sizeLines(advice({}), true), []);
    const some = { files: 1, paths: ['node_modules/@s/a'] };
    const shared = { path: 'site-packages/boto3', bytes: 12 * mebibyte, functions: ['a', 'b'], copies: 2 };
    const large = advice({
      bytes: 40 * mebibyte,
      files: 900,
      largest: [{ path: 'node_modules/@s/a', kind: 'npm', bytes: 30 * mebibyte, files: 800 }],
      unused: [
        { why: 'not imported', bytes: 8 * mebibyte, ...some },
        { why: 'tests', bytes: 2 * mebibyte, ...some },
        { why: 'types', bytes: 1, ...some },
      ],
      shared: [shared],
    });
    assert.deepEqual(sizeLines(large, false), [
      '40 MiB unpacked in 900 files; the largest: @s/a 30 MiB',
      '10 MiB of it seems unused: 8.0 MiB not imported (@s/a); 2.0 MiB tests; leave it out of the dependencies, or by "build: { exclude: [...] }"',
      'the same 12 MiB (boto3) are in 2 functions: a layer would have them once',
    ]);
    assert.match(sizeLines(large, true).at(-1) ?? '', /; code on layers does not start as one file$/);
    const little = { unused: [{ why: 'tests' as const, bytes: 2 * mebibyte, ...some }], shared: [{ ...shared, functions: ['a'] }] };
    assert.deepEqual(sizeLines(advice({ bytes: 9 * mebibyte * 10, ...little }), false), []);
  });
});
