/** What is decided about builds, and the pieces they are made of. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { readBundle } from '../../src/build/bundle.ts';
import { installationOf } from '../../src/build/installation.ts';
import { mergeBundles } from '../../src/build/merge-bundles.ts';
import { BuildOutput } from '../../src/control/builds/build-output.ts';
import { buildFailure } from '../../src/control/builds/build-failure.ts';
import { keyOf, packagesWithScripts, readInputs } from '../../src/control/builds/build-inputs.ts';
import { BuildQueue, nextBuild } from '../../src/control/builds/build-queue.ts';
import { DependencyCache, droppedOf } from '../../src/control/builds/dependency-cache.ts';
import type { BuildRuntimeName } from '../../src/model/runtimes.ts';
import { readLines } from '../../src/wire/lines.ts';
import { projectOf } from '../build/npm-package.ts';
import { bundleOf } from './control-under-test.ts';
import { tempFolder } from './temp-folder.ts';

const never = new AbortController().signal;

describe('the queue', () => {
  const limits = { platform: 2, tenant: 1, waiting: 2 };

  test('whose turn it is', () => {
    assert.equal(nextBuild([], ['a', 'b'], limits), 0);
    assert.equal(nextBuild(['a'], ['a', 'b'], limits), 1, 'one of a tenant at once');
    assert.equal(nextBuild(['a'], ['a'], limits), undefined);
    assert.equal(nextBuild(['a', 'b'], ['c'], limits), undefined, 'two at once');
  });

  test('a place is given back once; who waits too long in line is refused; who leaves makes room', async () => {
    const queue = new BuildQueue(limits);
    const first = queue.take('a');
    assert.equal(first.before, 0);
    const [second, third] = [queue.take('a'), queue.take('a')];
    assert.deepEqual([second.before, third.before], [1, 2]);
    assert.throws(() => queue.take('a'), { code: 'TooManyRequests', message: /2 builds of tenant "a" wait already/ });
    assert.equal(queue.take('b').before, 0);
    const left = new AbortController();
    const waiting = second.begun(left.signal);
    left.abort(new Error('gone'));
    await assert.rejects(waiting, /gone/);
    second[Symbol.dispose]();
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    await third.begun(never);
    assert.equal(queue.take('a').before, 1, 'the third has the only place');
  });
});

describe('what is kept of a tenant’s dependencies', () => {
  const file = (path: string, mtimeMs: number, size = 1) => ({ path, mtimeMs, size });

  test('the latest, up to a number, bytes and an age', () => {
    const limits = { count: 2, bytes: 10, ms: 100 };
    assert.deepEqual(droppedOf([file('old', 1), file('new', 3), file('middle', 2)], 3, limits), ['old']);
    assert.deepEqual(droppedOf([file('a', 3, 6), file('b', 2, 6)], 3, limits), ['b']);
    assert.deepEqual(droppedOf([file('a', 3)], 104, limits), ['a']);
  });

  test('is its own, is there whole or not at all, and goes with it', async (t) => {
    const folder = tempFolder(t);
    const cache = await DependencyCache.open(folder, () => Date.now());
    {
      await using staged = await cache.stage('acme', 'aa');
      await staged.write(Buffer.from('half'));
    }
    assert.equal(await cache.find('acme', 'aa'), undefined);
    {
      await using staged = await cache.stage('acme', 'aa');
      await staged.write(Buffer.from('whole'));
      await staged.keep();
    }
    assert.ok(await cache.find('acme', 'aa'));
    assert.equal(await cache.find('other', 'aa'), undefined);
    await writeFile(join(folder, '.staging', 'left'), 'by a killed one');
    const again = await DependencyCache.open(folder, () => Date.now());
    assert.ok(await again.find('acme', 'aa'));
    await again.forget('acme');
    assert.equal(await again.find('acme', 'aa'), undefined);
  });
});

describe('what decides on dependencies', () => {
  const needs = [{ name: 'one', install: 'true' }, { name: 'two' }];
  const files = projectOf(needs, 'http://registry.test');
  const settings = { runtime: 'nodejs26', scripts: false, registries: ['http://registry.test/'], builder: '1' } as const;

  const read = async (contents: Record<string, string>, runtime: BuildRuntimeName) =>
    Object.fromEntries(
      Object.entries(await readInputs(Readable.from([bundleOf(contents)]), runtime)).map(([path, content]) => [
        path,
        Buffer.from(content, 'base64').toString(),
      ]),
    );

  test('is read from a bundle; without it the build is refused', async () => {
    assert.deepEqual(await read({ ...files, 'index.js': '' }, 'nodejs26'), files);
    await assert.rejects(read({ 'index.js': '', 'package.json': '{}' }, 'nodejs26'), {
      code: 'BadRequest',
      message: 'the source lacks package.json and package-lock.json at its top',
    });
  });

  test('for Python is the requirements, what they refer to, and wheels', async () => {
    const project = { 'pyproject.toml': '[project]' };
    const wheels = { 'wheels/a.whl': 'a' };
    const requirements = { 'requirements.txt': '-r more/needs.txt\na==1\n', 'more/needs.txt': '-c ../pins.txt\n', 'pins.txt': 'b==1\n' };
    const others = { 'main.py': '', 'robots.txt': 'none', 'site-packages/a.txt': '' };
    assert.deepEqual(await read({ ...others, ...project, ...wheels }, 'python3'), { ...project, ...wheels });
    assert.deepEqual(await read({ ...others, ...project, ...wheels, ...requirements }, 'python3'), { ...requirements, ...wheels });
    await assert.rejects(read(others, 'python3'), { code: 'BadRequest', message: /lacks requirements\.txt or pyproject\.toml/ });
  });

  test('is part of the key, each of it', () => {
    const inputs = { 'package.json': 'e30=', 'package-lock.json': 'e30=' };
    const changes = [{ runtime: 'nodejs24' }, { scripts: true }, { registries: [] }, { builder: '2' }] as const;
    const keys = [
      ...changes.map((change) => keyOf(inputs, { ...settings, ...change })),
      keyOf({ ...inputs, 'package-lock.json': '' }, settings),
    ];
    assert.equal(new Set([...keys, keyOf(inputs, settings)]).size, changes.length + 2);
  });

  test('tells which packages have install scripts', () => {
    const lockfile = (text: string) => ({ 'package-lock.json': Buffer.from(text).toString('base64') });
    assert.deepEqual(packagesWithScripts(lockfile(files['package-lock.json'])), ['one']);
    assert.deepEqual(packagesWithScripts(lockfile('{"packages":{"":{"hasInstallScript":true}}}')), ['package.json itself']);
    assert.deepEqual(packagesWithScripts(lockfile('no json')), []);
    assert.deepEqual(packagesWithScripts({}), []);
  });
});

test('two bundles become one, the second with dependencies alone', async () => {
  const merged = async (modules: Record<string, string>, runtime: BuildRuntimeName = 'nodejs26') => {
    const names: string[] = [];
    const all = mergeBundles(
      () => Readable.from([bundleOf({ 'index.js': 'x', 'wheels/a.whl': 'w' })]),
      () => Readable.from([bundleOf(modules)]),
      installationOf(runtime),
    );
    await readBundle(Readable.from(all), async ({ name }, content) => {
      names.push(`${name} ${Buffer.concat(await Array.fromAsync(content)).toString()}`);
    });
    return names;
  };
  assert.deepEqual(await merged({ 'node_modules/a/index.js': 'y' }), ['index.js x', 'wheels/a.whl w', 'node_modules/a/index.js y']);
  // What is there for the installation alone is no part of it.
  assert.deepEqual(await merged({ 'site-packages/a.py': 'y' }, 'python3'), ['index.js x', 'site-packages/a.py y']);
  await assert.rejects(merged({ 'index.js': 'z' }), { code: 'BundleRejected' });
});

test('lines come whole, in whatever pieces they were sent, and none is too long', async () => {
  const lines = async (...pieces: string[]) =>
    (await Array.fromAsync(readLines(Readable.from(pieces.map((piece) => Buffer.from(piece))), 5))).map(String);
  assert.deepEqual(await lines('on', 'e\ntwo\n', '\nthree', '\nrest'), ['one', 'two', '', 'three']);
  await assert.rejects(lines('123', '456'), { code: 'BadRequest' });
  await assert.rejects(lines('123456\n'), { code: 'BadRequest' });
});

test('a failure has its reason, a remedy and the last words', () => {
  const said = (...lines: string[]) => {
    const output = new BuildOutput();
    for (const line of lines) output.take(line);
    return buildFailure({ code: 'BuildFailed', message: 'npm ended with 1' }, output, ['http://r.test/']).message;
  };
  assert.match(
    said('npm error code ENOTFOUND'),
    /npm could not reach something; a build reaches http:\/\/r\.test\/ and nothing else[^]*\n {2}npm error code/,
  );
  assert.match(said('npm error code ENOSPC'), /its disk of 512 MiB is full; install less/);
  assert.match(said('npm error code EUSAGE'), /do not fit together; run "npm install"/);
  assert.match(said('npm error code E404'), /http:\/\/r\.test\/ does not have what the lockfile says; correct the dependency/);
  assert.match(said('npm error code SELF_SIGNED_CERT_IN_CHAIN'), /SWIFTLET_REGISTRY_CA of "swiftlet up"/);
  assert.match(said('npm error code ERR_SSL_UNEXPECTED_MESSAGE'), /the connection to the registry broke off; deploy again/);
  assert.match(said('npm error code EINTEGRITY'), /find out which of the two is wrong/);
  assert.match(said('npm error code E401'), /wants to know who asks.*--build local/);
  for (const words of [
    'gyp ERR! stack Error: not found: make',
    'gyp ERR! stack Error: Could not find any Python installation to use',
    'make: g++: No such file or directory',
  ])
    assert.match(said(words, 'npm error command failed'), /the host lacks a program for it: "swiftlet doctor" there says which/);
  assert.match(said('npm error command failed'), /an install script failed; scripts reach http/);
  assert.equal(said(), 'the dependencies could not be installed: npm ended with 1');
  const long = Array.from({ length: 30 }, (_, index) => `npm error Missing: package-${index}`);
  assert.match(said('npm error code EUSAGE', ...long), /do not fit together/, 'its reason may be further up than the last words');
});

test('of what npm says, how it is used and where its own log was is left out', () => {
  const output = new BuildOutput();
  const kept = (...lines: string[]) => lines.filter((line) => output.take(line));
  const usage = [
    'npm error Clean install a project',
    'npm error',
    'npm error Usage:',
    'npm error npm ci',
    'npm error   --omit',
    'npm error Run "npm help ci" for more info',
  ];
  const useful = ['npm error code EUSAGE', 'npm error Missing: a@1.0.0 from lock file', 'added 1 package', ''];
  assert.deepEqual(
    kept(
      ...useful.slice(0, 2),
      ...usage,
      'npm error A complete log of this run can be found in: /dev/shm/npm/_logs/1.log',
      ...useful.slice(2),
    ),
    useful,
  );
  assert.deepEqual(output.tail, useful);
});
