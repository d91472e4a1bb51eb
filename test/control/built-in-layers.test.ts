/** Built-in layers: which code is given one, and what becomes of it when it cannot be had. What installs them is tested by test/e2e/layers.test.ts. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { CreateFunctionCommand, GetFunctionConfigurationCommand } from '@aws-sdk/client-lambda';
import { editions } from '../../src/control/built-in-layers/editions.ts';
import { lacksSdk } from '../../src/control/built-in-layers/sdk-imports.ts';
import { zip } from '../lambda/zip.ts';
import { assertProblem, bundleOf, type ControlUnderTest, startUnderTest } from './control-under-test.ts';
import { clientOf } from './lambda-client.ts';

const node = (files: Record<string, string>) => lacksSdk(Readable.from([bundleOf(files)]), 'nodejs', editions['aws-sdk-v3'].provides);
const python = (files: Record<string, string>) => lacksSdk(Readable.from([bundleOf(files)]), 'python', editions.boto3.provides);

describe('code counts on an SDK that it has not brought', () => {
  const s3 = '@aws-sdk/client-s3';
  for (const line of [
    `import { S3Client } from '${s3}';`,
    `import{S3Client}from"${s3}"`,
    `import '${s3}';`,
    `const { S3Client } = require("${s3}");`,
    `const sdk = await import('${s3}');`,
  ])
    test(`Node.js: ${line}`, async () => assert.equal(await node({ 'lib/store.mts': line }), true));

  test('Node.js: not when it brought it, imports what is not in it, or leaves it to a package', async () => {
    const use = `import { S3Client } from '${s3}';`;
    assert.equal(await node({ 'index.mjs': use, [`node_modules/${s3}/package.json`]: '{}' }), false);
    assert.equal(await node({ 'index.mjs': "import '@aws-sdk/client-of-nobody'; // @aws-sdk/client-s3" }), false);
    assert.equal(await node({ 'index.mjs': '', 'node_modules/other/index.js': use }), false);
    assert.equal(await node({ 'readme.txt': use }), false);
  });

  for (const line of ['import boto3', 'import json, boto3', 'from botocore.config import Config', 'def f():\n    import boto3.session'])
    test(`Python: ${JSON.stringify(line)}`, async () => assert.equal(await python({ 'app.py': line }), true));

  test('Python: not when it brought it, or speaks of it only', async () => {
    assert.equal(await python({ 'app.py': 'import boto3', 'boto3/__init__.py': '', 'botocore/__init__.py': '' }), false);
    assert.equal(await python({ 'app.py': 'import boto3', 'site-packages/boto3/__init__.py': '' }), false);
    assert.equal(await python({ 'app.py': '# import boto3\nimport boto3_stubs\nx = "from boto3"' }), false);
  });
});

const deploy = async (control: ControlUnderTest, name: string, layers: readonly string[]) =>
  control.put(`/v1/functions/${name}`, { digest: await control.bundle(), config: { layers } });

test('one that cannot be installed is refused with what to do; a layer of that name is taken instead', async (t) => {
  const control = await startUnderTest(t);
  assertProblem(
    await deploy(control, 'hello', ['aws-sdk-v3']),
    503,
    'Unavailable',
    /built-in layer "aws-sdk-v3".*swiftlet layer publish aws-sdk-v3 --from npm:[^]*the agent is away/,
    'config.layers',
  );
  assertProblem(await deploy(control, 'hello', ['aws-sdk-v9']), 400, 'ManifestInvalid', /name:version.*built-in one: aws-sdk-v3, boto3/);
  const pool = { runtime: 'nodejs26', layers: ['aws-sdk-v3'], preload: ['@aws-sdk/client-s3'] };
  assertProblem(await control.put('/v1/pools/warm', pool), 503, 'Unavailable', /built-in layer/);
  const digest = await control.bundle({ 'nodejs/node_modules/@aws-sdk/client-s3/index.js': '' });
  const spoofed = JSON.stringify({ digest, builtIn: editions['aws-sdk-v3'].id });
  assert.equal((await control.call('/v1/layers/aws-sdk-v3/versions', { method: 'POST', body: spoofed })).status, 400);
  await control.call('/v1/layers/aws-sdk-v3/versions', { method: 'POST', body: JSON.stringify({ digest }) });
  const { version } = (await deploy(control, 'hello', ['aws-sdk-v3'])).json as { version: { config: object; layerDigests: string[] } };
  assert.deepEqual([(version.config as { layers: string[] }).layers, version.layerDigests], [['aws-sdk-v3:1'], [digest]]);
});

test('functions of Lambda’s API are made without one that cannot be had, which says why; and have it once it can be', async (t) => {
  const control = await startUnderTest(t);
  const lambda = await clientOf(t, control, { role: 'developer' });
  const make = (FunctionName: string, content: string) => {
    const wish = { Runtime: 'nodejs22.x' as const, Handler: 'index.handler', Role: 'arn:aws:iam::123456789012:role/any' };
    return lambda.send(new CreateFunctionCommand({ FunctionName, ...wish, Code: { ZipFile: zip({ name: 'index.js', content }) } }));
  };
  const served = async (name: string) =>
    (await control.call(`/v1/functions/${name}`)).json['serving'] as { config: { layers: string[] }; layerDigests?: string[] };
  const code = "const { S3Client } = require('@aws-sdk/client-s3'); exports.handler = async () => 1;";
  const plain = await make('plain', 'exports.handler = async () => 1;');
  await make('early', code);
  const early = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'early' }));
  assert.match(String(early.LastUpdateStatusReason), /built-in layer "aws-sdk-v3".*swiftlet layer publish aws-sdk-v3/);
  assert.equal((await served('early')).layerDigests, undefined);
  const digest = await control.bundle({ 'nodejs/node_modules/@aws-sdk/client-s3/index.js': '' });
  await control.call('/v1/layers/aws-sdk-v3/versions', { method: 'POST', body: JSON.stringify({ digest }) });
  const late = await make('late', code);
  const { config, layerDigests } = await served('late');
  assert.deepEqual([late.Layers, config.layers, layerDigests], [undefined, [], [digest]]);
  for (const { LastUpdateStatusReason: reason } of [plain, late]) assert.doesNotMatch(String(reason), /layer/);
  assert.deepEqual((await served('plain')).layerDigests, undefined);
});
