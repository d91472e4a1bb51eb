/** Dependencies: installed by the lockfile, once, beside the user's folder, and nothing left behind. npm is a script of the test's. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { buildFunction, demandDependencies } from '../../src/build/build.ts';
import { planFolder } from '../../src/build/plan.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { functionConfigSchema } from '../../src/model/function.ts';
import type { RuntimeName } from '../../src/model/runtimes.ts';
import { folderOf } from './folder-of.ts';

const installs = `mkdir -p node_modules/dep node_modules/.bin
echo 'exports.x = 1' > node_modules/dep/index.js
ln -s ../dep/index.js node_modules/.bin/dep`;
const project = { 'index.js': '', 'package.json': '{}', 'package-lock.json': '{}' };

let root: string;
let before: Record<'PATH' | 'TMPDIR', string | undefined>;
beforeEach(async () => {
  before = { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'] };
  root = await mkdtemp(join(tmpdir(), 'swiftlet-test-'));
  for (const name of ['bin', 'tmp', 'cache']) await mkdir(join(root, name));
  process.env['PATH'] = `${join(root, 'bin')}${delimiter}${before.PATH ?? ''}`;
});
afterEach(async () => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name);
    else process.env[name] = value;
  }
  await rm(root, { recursive: true });
});

/** Puts an npm in front of the system's that runs this, and notes that it was asked. */
function npm(script: string): void {
  writeFileSync(join(root, 'bin', 'npm'), `#!/bin/sh\necho "$@" >> ${root}/calls\n${script}\n`);
  chmodSync(join(root, 'bin', 'npm'), 0o755);
}
const calls = (): string[] => (existsSync(join(root, 'calls')) ? readFileSync(join(root, 'calls'), 'utf8').trim().split('\n') : []);
const left = () => ({ cache: readdirSync(join(root, 'cache')), tmp: readdirSync(join(root, 'tmp')) });

async function build(files: Record<string, string>, signal: AbortSignal = new AbortController().signal) {
  await using folder = await folderOf(files);
  // Only now: the folder itself is no part of what a build may leave.
  process.env['TMPDIR'] = join(root, 'tmp');
  const sources = readdirSync(folder.path);
  const [planned] = await planFolder(folder.path);
  assert.ok(planned);
  try {
    return await buildFunction(planned, { cache: join(root, 'cache'), signal });
  } finally {
    assert.deepEqual(readdirSync(folder.path), sources, 'the user’s folder is as it was');
    process.env['TMPDIR'] = before.TMPDIR ?? '';
  }
}

test('dependencies are installed once for a lockfile', async () => {
  npm(installs);
  const first = await build(project);
  const second = await build({ ...project, 'index.js': 'exports.changed = 1' });
  assert.deepEqual(first.files, ['index.js', 'node_modules/.bin/dep', 'node_modules/dep/index.js', 'package-lock.json', 'package.json']);
  assert.notEqual(first.digest, second.digest);
  assert.deepEqual(calls().length, 1);
  assert.match(calls()[0] ?? '', /^ci --omit=dev --ignore-scripts /);
  assert.deepEqual([left().cache.length, left().tmp], [1, []]);
  await build({ ...project, 'package-lock.json': '{"packages":{}}' });
  assert.equal(calls().length, 2);
});

test('a project’s .npmrc decides what is installed, and is not kept', async () => {
  npm(`cp .npmrc ${root}/seen\n${installs}`);
  const { files } = await build({ ...project, '.npmrc': 'registry=http://127.0.0.1:9/a' });
  assert.ok(!files.includes('.npmrc'), 'it may have a token in it');
  assert.equal(readFileSync(join(root, 'seen'), 'utf8'), 'registry=http://127.0.0.1:9/a');
  await build({ ...project, '.npmrc': 'registry=http://127.0.0.1:9/b' });
  assert.equal(calls().length, 2);
  for (const kept of left().cache) assert.deepEqual(readdirSync(join(root, 'cache', kept)).sort(), ['.bin', 'dep']);
});

test('what is installed for development stays out', async () => {
  npm(installs);
  const { files } = await build({ ...project, 'node_modules/typescript/index.js': '' });
  assert.ok(!files.includes('node_modules/typescript/index.js'));
  assert.ok(files.includes('node_modules/dep/index.js'));
});

test('without a lockfile, or with install: never, the folder goes as it is', async () => {
  npm('exit 1');
  const asItIs = { 'index.js': '', 'package.json': '{}', 'node_modules/own/index.js': '' };
  assert.ok((await build(asItIs)).files.includes('node_modules/own/index.js'));
  const never = { ...asItIs, 'package-lock.json': '{}', 'swiftlet.yaml': 'functions: { shop: { build: { install: never } } }\n' };
  assert.ok((await build(never)).files.includes('node_modules/own/index.js'));
  assert.deepEqual(calls(), []);
});

test('what npm says when it fails is told, and nothing is left', async () => {
  npm('mkdir node_modules\necho "npm warn old" >&2\necho "npm error code E404" >&2\necho "npm error 404 no such package" >&2\nexit 1');
  await assert.rejects(build(project), (error) => {
    assert.ok(error instanceof SwiftletError);
    assert.equal(error.code, 'ManifestInvalid');
    assert.match(error.message, /^the dependencies in .*package-lock\.json could not be installed: code E404; 404 no such package$/);
    return true;
  });
  assert.deepEqual(left(), { cache: [], tmp: [] });
});

test('a build that is ended waits for npm and leaves nothing', async () => {
  // It writes on after it was told to end, as the real one does for a moment.
  npm(
    `trap 'sleep 0.2; mkdir -p node_modules/late; touch ${root}/npm-ended; exit 1' TERM\ntouch ${root}/npm-runs\nwhile :; do sleep 0.02; done`,
  );
  const stop = new AbortController();
  const built = build(project, stop.signal);
  while (!existsSync(join(root, 'npm-runs'))) await new Promise(setImmediate);
  stop.abort(new SwiftletError('ClientClosedRequest', 'stopped'));
  await assert.rejects(built, /^SwiftletError: stopped$/);
  assert.ok(existsSync(join(root, 'npm-ended')));
  assert.deepEqual(left(), { cache: [], tmp: [] });
});

test('what no deploy used for a month is dropped', async () => {
  npm(installs);
  await build(project);
  const [old = ''] = left().cache;
  const longAgo = new Date(Date.now() - 40 * 24 * 60 * 60 * 1_000);
  utimesSync(join(root, 'cache', old), longAgo, longAgo);
  await build({ ...project, 'package-lock.json': '{"packages":{}}' });
  assert.ok(!left().cache.includes(old));
  assert.equal(left().cache.length, 1);
});

test('dependencies that are nowhere are asked for, with the remedy, before anything is sent', async () => {
  const wants = async (files: Record<string, string>, install = true, runtime: RuntimeName = 'nodejs26') => {
    await using folder = await folderOf({ 'index.js': '', ...files });
    const config = functionConfigSchema.parse({ handler: 'index.handler', runtime });
    await demandDependencies({ source: folder.path, config, build: { install, scripts: false, include: [], exclude: [] } });
  };
  const needs = { 'package.json': '{"dependencies":{"express":"5"}}' };
  await assert.rejects(wants(needs), {
    code: 'ManifestInvalid',
    message: /\(express\), and there is no package-lock\.json.*npm install --package-lock-only/,
  });
  await wants({ ...needs, 'package-lock.json': '{}' });
  await wants({ ...needs, 'node_modules/express/index.js': '' });
  await wants(needs, false);
  await wants(needs, true, 'python3');
  for (const text of ['{}', '{"dependencies":{}}', '{"devDependencies":{"a":"1"}}', 'no json']) await wants({ 'package.json': text });
});
