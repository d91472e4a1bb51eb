import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parseManifest } from '../../src/build/manifest.ts';
import { planFolder } from '../../src/build/plan.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { packageFolder } from '../../src/role/package-folder.ts';

const bad: [what: string, text: string, code: string, message: RegExp][] = [
  [
    'an unknown runtime',
    'functions:\n  a:\n    runtime: node24\n',
    'RuntimeUnknown',
    /^swiftlet\.yaml:3:14: unknown runtime "node24"; did you mean "nodejs24"\?$/,
  ],
  [
    'an unknown key',
    'functions:\n  a:\n    memroy: 1\n',
    'ManifestInvalid',
    /^swiftlet\.yaml:3:13: unknown key "memroy"; did you mean "memory"\?$/,
  ],
  ['an unknown top key', 'function: {}\nfunctions: {}\n', 'ManifestInvalid', /unknown key "function"; did you mean "functions"\?/],
  ['a bad name', 'functions:\n  ../x: {}\n', 'NameInvalid', /no name for a function/],
  ['a bad duration', 'functions:\n  a:\n    timeout: soon\n', 'ManifestInvalid', /^swiftlet\.yaml:3:14: functions\.a\.timeout: .*duration/],
  ['broken YAML', 'functions: [\n', 'ManifestInvalid', /^swiftlet\.yaml:\d+:\d+/],
  ['nothing', '', 'ManifestInvalid', /swiftlet\.yaml/],
  [
    'a bomb of aliases',
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
      .split('')
      .map((n, i) => `${n}: &${n} [${Array(9).fill(`*${'abcdefg'[i]}`).join()}]`)
      .join('\n')}\n`,
    'ManifestInvalid',
    /./,
  ],
];
for (const [what, text, code, message] of bad) {
  test(`a manifest with ${what} is refused at its place`, () => {
    assert.throws(
      () => parseManifest(text, 'swiftlet.yaml'),
      (error) => error instanceof Error && message.test(error.message) && (!(error instanceof SwiftletError) || error.code === code),
    );
  });
}

async function plan(files: Record<string, string>, folder = 'shop') {
  const root = mkdtempSync(join(tmpdir(), 'swiftlet-plan-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, folder, path)), { recursive: true });
      writeFileSync(join(root, folder, path), text);
    }
    return await planFolder(join(root, folder));
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('a folder without a manifest is one function, named for the folder', async () => {
  const [only] = await plan({ 'index.ts': '' }, 'My Shop_2');
  assert.equal(only?.name, 'my-shop-2');
  assert.equal(only.config.handler, 'index');
});

test('package.json names the entry', async () => {
  const [only] = await plan({ 'package.json': '{"main":"./lib/app.cjs"}', 'lib/app.cjs': '' });
  assert.equal(only?.config.handler, 'lib/app');
});

test('a folder without an entry says what was looked for', async () => {
  await assert.rejects(plan({ 'readme.md': '' }), /looked for index\.ts, index\.mts, index\.js, index\.mjs, index\.cjs/);
});

test('a manifest has defaults, folders by name, and units', async () => {
  const functions = await plan({
    'swiftlet.yaml':
      'defaults: { memory: 256MiB, timeout: 2m, environment: { A: 1 } }\nfunctions:\n  one: { environment: { B: true }, queue: { length: 5 } }\n  two: { memory: 1GiB, idle: 500ms, handler: index.main }\n',
    'one/index.mjs': '',
    'two/index.mjs': '',
    'index.mjs': '',
  });
  const [one, two] = functions;
  assert.match(one?.source ?? '', /shop\/one$/);
  assert.deepEqual(
    [one?.config.memoryMiB, one?.config.timeoutMs, one?.config.environment, one?.config.queueLength],
    [256, 120_000, { A: '1', B: 'true' }, 5],
  );
  assert.deepEqual([two?.config.memoryMiB, two?.config.idleMs, two?.config.handler], [1024, 500, 'index.main']);
});

test('limits are checked with the place', async () => {
  await assert.rejects(
    plan({ 'index.mjs': '', 'swiftlet.yaml': 'functions:\n  a: { memory: 1 }\n' }),
    (error) => error instanceof SwiftletError && error.place === 'functions.a.memoryMiB',
  );
});

test('the published JSON Schema is up to date', () => {
  execFileSync(process.execPath, [join(packageFolder, 'scripts', 'schema.ts'), '--check']);
});
