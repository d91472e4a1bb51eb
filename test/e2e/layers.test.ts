/** Layers, through the command line and HTTP, in real sandboxes. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CreateFunctionCommand, InvokeCommand, type Runtime } from '@aws-sdk/client-lambda';
import { packageFolder } from '../../src/role/package-folder.ts';
import { folderOf } from '../build/folder-of.ts';
import { zip } from '../lambda/zip.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { lambdaOf } from './lambda-under-test.ts';
import { needsRoot } from './needs.ts';

let e2e: E2e;
before(async () => {
  // What installs the built-in layers is to have its time, however busy the machine is.
  e2e = await openE2e({ poolSize: 2, environment: { SWIFTLET_BUILD_TIMEOUT_MS: '900000' } });
});
after(() => e2e[Symbol.asyncDispose]());

function swiftlet(...argument: string[]) {
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' };
  const main = join(packageFolder, 'src', 'cli', 'main.ts');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...argument], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** @returns name:version */
function layer(name: string, files: string): string {
  const { status, stdout, stderr } = swiftlet('layer', 'publish', name, files, '--json');
  assert.equal(status, 0, stderr);
  const { version } = JSON.parse(stdout) as { version: number };
  return `${name}:${version}`;
}

const moduleOf = (answer: string) => `module.exports = () => ${JSON.stringify(answer)};`;

test('of several the last one counts, and require, import, programs and files find them', async () => {
  await using one = await folderOf({
    'nodejs/node_modules/greet/index.js': moduleOf('the first'),
    'nodejs/node_modules/only-first/index.js': moduleOf('kept'),
    'data.txt': 'first',
    'bin/tool': '#!/bin/sh\necho tool\n',
  });
  execFileSync('chmod', ['+x', join(one.path, 'bin', 'tool')]);
  const bytes = zip({ name: 'nodejs/node_modules/greet/index.js', content: moduleOf('the second') });
  writeFileSync(join(one.path, '..', 'second.zip'), bytes);
  const layers = [layer('one', one.path), layer('two', join(one.path, '..', 'second.zip'))];
  const code = `
    import { execFileSync } from 'node:child_process';
    import { readFileSync, writeFileSync } from 'node:fs';
    import { createRequire } from 'node:module';
    import greet from 'greet';
    const only = createRequire(import.meta.url)('only-first');
    export const handler = async () => {
      let written = 'yes';
      try { writeFileSync('/opt/data.txt', 'mine'); } catch (error) { written = error.code; }
      const missing = await import('there-is-none').catch((error) => error.code);
      return { greet: greet(), only: only(), data: readFileSync('/opt/data.txt', 'utf8'), tool: execFileSync('tool').toString().trim(), written, missing };
    };`;
  await e2e.publish('builds', code, { layers });
  const { json, headers } = await e2e.call('/builds/');
  assert.deepEqual(json, {
    greet: 'the second',
    only: 'kept',
    data: 'first',
    tool: 'tool',
    written: 'EROFS',
    missing: 'ERR_MODULE_NOT_FOUND',
  });
  assert.equal(headers.get('x-swiftlet-start'), 'cold');
  await e2e.publish('reversed', code, { layers: layers.toReversed() });
  assert.equal((await e2e.call('/reversed/')).json['greet'], 'the first');
});

test('what several functions build on lies on the host once', async () => {
  await using shared = await folderOf({ 'lib/large.bin': 'x'.repeat(100_000) });
  await using other = await folderOf({ 'other.txt': 'y' });
  const [large, small] = [layer('large', shared.path), layer('small', other.path)];
  const code = 'import { statSync } from "node:fs"; export const handler = () => statSync("/opt/lib/large.bin").ino;';
  await e2e.publish('alone', code, { layers: [large] });
  await e2e.publish('both', code, { layers: [large, small] });
  const [alone, both] = [(await e2e.call('/alone/')).text, (await e2e.call('/both/')).text];
  assert.match(alone, /^\d+$/);
  assert.equal(both, alone);
  const merged = join(e2e.platform.home, 'agent', 'layers', 'default');
  const ofBoth = () => readdirSync(merged).filter((name) => existsSync(join(merged, name, 'other.txt')));
  assert.equal(ofBoth().length, 1);
  assert.equal(swiftlet('remove', 'both').status, 0);
  // What is needed no more is looked for when something else changes.
  const lookAgain = async () => {
    await e2e.publish('alone', `${code}//${Math.random()}`, { layers: [large] });
    return ofBoth();
  };
  await eventually(lookAgain, (left) => left.length === 0);
});

test('Python finds packages and native libraries', async () => {
  await using files = await folderOf({ 'python/shared.py': 'WORD = "from the layer"', 'python/json_like/__init__.py': 'VALUE = 7' });
  mkdirSync(join(files.path, 'lib'));
  const libc =
    execFileSync('ldconfig', ['-p'], { encoding: 'utf8' }).match(/libm\.so\.6 .*=> (\S+)/)?.[1] ?? '/lib/x86_64-linux-gnu/libm.so.6';
  copyFileSync(libc, join(files.path, 'lib', 'libofalayer.so'));
  const code = `
import ctypes
from shared import WORD
import json_like
root = ctypes.CDLL("libofalayer.so").sqrt
root.restype = ctypes.c_double
root.argtypes = [ctypes.c_double]
def handler(event, context):
    return [WORD, json_like.VALUE, root(9.0)]`;
  await e2e.publish('snake', { 'index.py': code }, { runtime: 'python3', handler: 'index.handler', layers: [layer('snakes', files.path)] });
  assert.equal((await e2e.call('/snake/')).text, '["from the layer",7,3.0]');
});

test('a bootstrap, and what a server starts, may come from a layer', async () => {
  const bootstrap = readFileSync(new URL('../programs/bootstrap.sh', import.meta.url), 'utf8');
  await using own = await folderOf({
    bootstrap,
    'bin/serve': `#!/bin/sh\nexec node -e 'require("http").createServer((q, s) => s.end("served")).listen(process.env.PORT)'\n`,
  });
  execFileSync('chmod', ['+x', join(own.path, 'bootstrap'), join(own.path, 'bin', 'serve')]);
  const layers = [layer('own', own.path)];
  await e2e.publish('custom', { 'readme.txt': 'nothing else' }, { runtime: 'provided', handler: 'any', layers });
  assert.equal((await e2e.call('/custom/')).status, 200);
  await e2e.publish('served', { 'readme.txt': 'nothing else' }, { runtime: 'http', handler: 'serve', layers });
  assert.equal((await e2e.call('/served/')).text, 'served');
});

test('the manifest names them; mistakes are told with the figures, and one in use stays', async () => {
  await using files = await folderOf({ 'nodejs/node_modules/named/index.js': moduleOf('named') });
  const reference = layer('named', files.path);
  const deploy = async (layers: string) => {
    const manifest = `functions:\n  manifested:\n    layers: ${layers}\n`;
    await using folder = await folderOf({
      'swiftlet.yaml': manifest,
      'index.mjs': 'import n from "named"; export const handler = () => n();',
    });
    return swiftlet('deploy', folder.path);
  };
  const wrong = await deploy('[named:7]');
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /named:7, which there is not: "named" has version 1 alone/);
  const many = await deploy('[a:1, b:1, c:1, d:1, e:1, f:1]');
  assert.equal(many.status, 2);
  assert.match(many.stderr, /swiftlet\.yaml:3:13: .*at most 5 layers/);
  assert.equal((await deploy(`[${reference}]`)).status, 0);
  assert.equal((await e2e.call('/manifested/')).text, '"named"');
  const refused = swiftlet('layer', 'remove', reference);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /"manifested".*LayerInUse/);
  assert.match(swiftlet('layer', 'list').stdout, /named:1 .*manifested/);
  assert.equal(swiftlet('remove', 'manifested').status, 0);
  assert.equal(swiftlet('layer', 'remove', reference).status, 0);
  assert.equal(swiftlet('layer', 'publish', 'named').status, 2);
  assert.match(swiftlet('layer', 'publish', 'named', '--from', 'gem:rails').stderr, /npm:<package> or pip:<package>/);
});

const usesBoto3 = `
import boto3
def handler(event, context):
    client = boto3.client('s3', region_name='eu-central-1', aws_access_key_id='a', aws_secret_access_key='b')
    return [boto3.__file__, client.generate_presigned_url('get_object', Params={'Bucket': 'one', 'Key': 'two'}).split('?')[0]]`;
const usesSdk = `
import { createRequire } from 'node:module';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
export const handler = async () => {
  const url = await getSignedUrl(new S3Client({ region: 'eu-central-1', credentials }), new GetObjectCommand({ Bucket: 'one', Key: 'two' }));
  return [createRequire(import.meta.url).resolve('@aws-sdk/client-s3'), url.split('?')[0]];
};`;
const boto3Answer = ['/opt/python/boto3/__init__.py', 'https://one.s3.amazonaws.com/two'];
const sdkAnswer = ['/opt/nodejs/node_modules/@aws-sdk/client-s3/dist-cjs/index.js', 'https://one.s3.eu-central-1.amazonaws.com/two'];

test('boto3 and the AWS SDK for JavaScript are built in: named by a manifest, or just imported by a function of Lambda’s API', {
  skip: needsRoot,
}, async () => {
  await using folder = await folderOf({
    'swiftlet.yaml':
      'functions:\n  python-sdk:\n    handler: app.handler\n    runtime: python3\n    layers: [boto3]\n  node-sdk:\n    layers: [aws-sdk-v3]\n',
    'python-sdk/app.py': usesBoto3,
    'node-sdk/index.mjs': usesSdk,
  });
  const under = lambdaOf(e2e);
  await under.swiftlet('deploy', folder.path);
  assert.deepEqual(JSON.parse((await e2e.call('/python-sdk/')).text), boto3Answer);
  assert.deepEqual(JSON.parse((await e2e.call('/node-sdk/')).text), sdkAnswer);
  const lambda = under.client(await under.key('--role', 'developer'));
  const answer = async (FunctionName: string, runtime: Runtime, name: string, content: string) => {
    const wish = { Runtime: runtime, Handler: 'index.handler', Role: 'arn:aws:iam::123456789012:role/any', MemorySize: 256, Timeout: 30 };
    await lambda.send(new CreateFunctionCommand({ FunctionName, ...wish, Code: { ZipFile: zip({ name, content }) } }));
    return JSON.parse((await lambda.send(new InvokeCommand({ FunctionName }))).Payload?.transformToString() ?? '') as unknown;
  };
  assert.deepEqual(await answer('python-lambda', 'python3.12', 'index.py', usesBoto3), boto3Answer);
  assert.deepEqual(await answer('node-lambda', 'nodejs22.x', 'index.mjs', usesSdk), sdkAnswer);
  lambda.destroy();
  // Made once, and what there is says of what.
  const listed = swiftlet('layer', 'list').stdout;
  assert.match(listed, /^boto3:1 .*built in: boto3 \d.*python-lambda, python-sdk/m);
  assert.match(listed, /^aws-sdk-v3:1 .*node-lambda, node-sdk/m);
});
