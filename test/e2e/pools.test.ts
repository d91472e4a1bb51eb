/** Custom pools, through the command line and HTTP, in real sandboxes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { packageFolder } from '../../src/role/package-folder.ts';
import { folderOf } from '../build/folder-of.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { roleOf } from './role-processes.ts';

const waitMs = 60_000;
let e2e: E2e;
before(async () => {
  e2e = await openE2e({ poolSize: 1 });
});
after(() => e2e[Symbol.asyncDispose]());

function swiftlet(...argument: string[]) {
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' };
  const main = join(packageFolder, 'src', 'cli', 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...argument], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

interface State {
  readonly ready: number;
  readonly failures: readonly string[];
}

async function stateOf(name: string): Promise<State | undefined> {
  const headers = { authorization: `Bearer ${e2e.platform.token}` };
  const response = await fetch(`${e2e.platform.apiUrl}/v1/pools/${name}`, { headers });
  return ((await response.json()) as { state?: State }).state;
}

const untilWarm = (name: string) =>
  eventually(
    () => stateOf(name),
    (state) => (state?.ready ?? 0) > 0,
    waitMs,
  );

/** Who was the first to import it: nobody, when a pool did. */
const importedBy = (what: string) =>
  `module.exports = { what: '${what}', importedBy: process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'the pool' };`;
const library = {
  'nodejs/node_modules/heavy/index.js': importedBy('heavy'),
  'nodejs/node_modules/@dual/both/package.json':
    '{"name":"@dual/both","exports":{"import":"./index.mjs","require":"./index.cjs","default":"./index.cjs"}}',
  'nodejs/node_modules/@dual/both/index.cjs': importedBy('required'),
  'nodejs/node_modules/@dual/both/index.mjs':
    "export const what = 'imported';\nexport const importedBy = process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'the pool';",
  'nodejs/node_modules/late/index.js': importedBy('late'),
};
const byThePool = (what: string) => ({ what, importedBy: 'the pool' });

test('a function finds evaluated what its pool has imported: by import, by require, in a bundle, and in the place of a copy of its own', async () => {
  await using files = await folderOf(library);
  const made = swiftlet(
    'pool',
    'create',
    'heavy',
    files.path,
    '--preload',
    'heavy',
    '--preload',
    '@dual/both',
    '--preload',
    'nowhere',
    '--min',
    '2',
    '--json',
  );
  assert.equal(made.status, 0, made.stderr);
  assert.deepEqual((JSON.parse(made.stdout) as { layers: string[] }).layers, ['heavy:1']);
  const code = `
    import heavy from 'heavy';
    import { what, importedBy } from '@dual/both';
    import { createRequire } from 'node:module';
    const require = createRequire(import.meta.url);
    export const handler = () => ({ heavy, imported: { what, importedBy }, required: require('@dual/both'), late: require('late'), own: process.env.OWN });`;
  await e2e.publish('plain', code, { pool: 'heavy', environment: { OWN: 'mine' } });
  const { failures } = (await untilWarm('heavy')) ?? { failures: [] };
  assert.match(failures.join(), /^nowhere: Error: Cannot find/);
  assert.deepEqual((await e2e.call('/plain/')).json, {
    heavy: byThePool('heavy'),
    imported: byThePool('imported'),
    required: byThePool('required'),
    late: { what: 'late', importedBy: 'plain' },
    own: 'mine',
  });
  const bundled = {
    'index.mjs': "import heavy from 'heavy';\nimport own from 'own';\nexport const handler = () => ({ heavy, own });",
    'node_modules/heavy/index.js': importedBy('a copy'),
    'node_modules/own/index.js': importedBy('own'),
  };
  await e2e.publish('bundled', bundled, { pool: 'heavy' });
  await untilWarm('heavy');
  assert.deepEqual((await e2e.call('/bundled/')).json, { heavy: byThePool('heavy'), own: { what: 'own', importedBy: 'bundled' } });
  assert.match(swiftlet('pool', 'list').stdout, /heavy .*heavy, @dual\/both, nowhere .*bundled, plain/);
  assert.match(swiftlet('pool', 'describe', 'heavy').stdout, /warm +\d of 2[^]*not imported +nowhere: /);
});

test('Python finds imported what its pool has imported', async () => {
  const module = 'import os\nIMPORTED_BY = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "the pool")';
  await using files = await folderOf({ 'python/heavy.py': module, 'python/package/__init__.py': module, 'python/package/part.py': module });
  const made = swiftlet('pool', 'create', 'snakes', files.path, '--preload', 'heavy', '--preload', 'package.part', '--runtime', 'python3');
  assert.equal(made.status, 0, made.stderr);
  const code = `
import heavy, package.part
def handler(event, context):
    return [heavy.IMPORTED_BY, package.IMPORTED_BY, package.part.IMPORTED_BY]`;
  await e2e.publish('snake', { 'index.py': code }, { runtime: 'python3', handler: 'index.handler', pool: 'snakes' });
  await untilWarm('snakes');
  assert.equal((await e2e.call('/snake/')).text, '["the pool","the pool","the pool"]');
});

test('from an empty pool, and one whose imports fail, a function starts all the same; after a kill -9 the pool is warm again', async () => {
  await using files = await folderOf({
    'nodejs/node_modules/broken/index.js': 'if (!process.env.AWS_LAMBDA_FUNCTION_NAME) process.exit(3);',
    'nodejs/node_modules/huge/index.js':
      'const all = []; while (!process.env.AWS_LAMBDA_FUNCTION_NAME) all.push(new Array(100_000).fill(all.length));',
  });
  assert.equal(swiftlet('pool', 'create', 'broken', files.path, '--preload', 'broken').status, 0);
  await e2e.publish('unbroken', "import 'broken'; export const handler = () => 'started';", { pool: 'broken' });
  assert.equal((await e2e.call('/unbroken/')).text, '"started"');
  const failed = await eventually(
    () => stateOf('broken'),
    (state) => (state?.failures.length ?? 0) > 0,
    waitMs,
  );
  assert.match(failed?.failures.join() ?? '', /"broken" could not import/);
  assert.equal(swiftlet('pool', 'create', 'huge', '--layer', 'broken:1', '--preload', 'huge').status, 0);
  await e2e.publish('modest', "import 'huge'; export const handler = () => 'started';", { pool: 'huge' });
  assert.equal((await e2e.call('/modest/')).text, '"started"');
  const grown = await eventually(
    () => stateOf('huge'),
    (state) => (state?.failures.length ?? 0) > 0,
    waitMs,
  );
  assert.match(grown?.failures.join() ?? '', /"huge" could not import what it preloads: .*memory/s);
  await untilWarm('heavy');
  process.kill(roleOf(e2e.platform.pid, 'agent'), 'SIGKILL');
  await eventually(
    () => stateOf('heavy').catch(() => undefined),
    (state) => (state?.ready ?? 0) === 2,
    waitMs,
  );
  await e2e.publish('later', "import heavy from 'heavy'; export const handler = () => heavy;", { pool: 'heavy' });
  assert.deepEqual((await e2e.call('/later/')).json, byThePool('heavy'));
});

test('the manifest names it, and one in use stays', async () => {
  const deploy = async (settings: string) => {
    const manifest = `functions:\n  manifested:\n    ${settings}\n`;
    await using folder = await folderOf({
      'swiftlet.yaml': manifest,
      'index.mjs': 'import n from "heavy"; export const handler = () => n;',
    });
    return swiftlet('deploy', folder.path);
  };
  const missing = await deploy('pool: nothing');
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /"nothing", which there is not.*swiftlet pool create nothing/);
  assert.equal((await deploy('pool: heavy')).status, 0);
  assert.deepEqual((await e2e.call('/manifested/')).json, byThePool('heavy'));
  const large = swiftlet('pool', 'create', 'large', '--preload', 'node:vm', '--max', '1000');
  assert.equal(large.status, 2);
  assert.match(large.stderr, /up to 1000 sandboxes is too large for this host, which runs \d+/);
  const inUse = swiftlet('pool', 'delete', 'heavy');
  assert.equal(inUse.status, 1);
  assert.match(inUse.stderr, /"bundled", "later", "manifested", "plain".*PoolInUse/);
  assert.equal(swiftlet('remove', 'snake').status, 0);
  assert.equal(swiftlet('pool', 'delete', 'snakes').status, 0);
});
