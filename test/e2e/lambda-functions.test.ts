/** Functions made, changed and removed by AWS's own SDK, against a whole platform. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteFunctionCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  paginateListFunctions,
  PublishLayerVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { zip } from '../lambda/zip.ts';
import { type Key, type LambdaUnderTest, openLambda, refusal } from './lambda-under-test.ts';

const Role = 'arn:aws:iam::123456789012:role/lambda-role';
/** As it is written for Lambda. */
const source = (mark: string) => `exports.handler = async (event) => {
  console.log('ran');
  return { mark: '${mark}', event, table: process.env.TABLE ?? null, memory: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE };
};`;
const packageOf = (mark: string) => zip({ name: 'index.js', content: source(mark) });
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64');

let under: LambdaUnderTest;
let key: Key;
let lambda: LambdaClient;

const clientWith = async (...words: string[]) => under.client(await under.key(...words));
const create = (FunctionName: string, more: Partial<CreateFunctionCommandInput> = {}, by = lambda) =>
  by.send(
    new CreateFunctionCommand({
      FunctionName,
      Role,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Code: { ZipFile: packageOf('one') },
      ...more,
    }),
  );
const configurationOf = (FunctionName: string, by = lambda) => by.send(new GetFunctionConfigurationCommand({ FunctionName }));

async function answerOf(FunctionName: string): Promise<unknown> {
  const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName, Payload: '{"n":1}' }));
  assert.equal(FunctionError, undefined);
  return JSON.parse(Buffer.from(Payload ?? []).toString());
}

before(async () => {
  under = await openLambda();
  key = await under.key('--role', 'developer');
  lambda = under.client(key);
});
after(() => under[Symbol.asyncDispose]());

test('a function of Lambda is made of its zip, runs unchanged, is changed and removed', async () => {
  const made = await create('takeOrders_v2', { Description: 'takes orders', Environment: { Variables: { TABLE: 't1' } }, MemorySize: 256 });
  assert.deepEqual(
    [made.FunctionName, made.FunctionArn, made.Version, made.State, made.Timeout, made.MemorySize, made.Description, made.Role],
    ['takeOrders_v2', 'arn:aws:lambda:eu-central-1:000000000000:function:takeOrders_v2', '$LATEST', 'Active', 3, 256, 'takes orders', Role],
  );
  assert.deepEqual([made.CodeSha256, made.CodeSize], [sha256(packageOf('one')), packageOf('one').length]);
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 10 }, { FunctionName: 'takeOrders_v2' });
  assert.deepEqual(await answerOf('takeOrders_v2'), { mark: 'one', event: { n: 1 }, table: 't1', memory: '256' });

  const coded = await lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'takeOrders_v2', ZipFile: packageOf('two') }));
  assert.notEqual(coded.RevisionId, made.RevisionId);
  assert.equal(coded.CodeSha256, sha256(packageOf('two')));
  const change = { FunctionName: 'takeOrders_v2', Environment: { Variables: { TABLE: 't2' } }, Timeout: 9 };
  const configured = await lambda.send(new UpdateFunctionConfigurationCommand(change));
  assert.deepEqual([configured.Timeout, configured.MemorySize, configured.Description], [9, 256, 'takes orders']);
  await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 10 }, { FunctionName: 'takeOrders_v2' });
  assert.deepEqual(await answerOf('takeOrders_v2'), { mark: 'two', event: { n: 1 }, table: 't2', memory: '256' });

  const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: 'takeOrders_v2' }));
  const plain = await configurationOf('takeOrders_v2');
  assert.deepEqual({ ...Configuration, $metadata: plain.$metadata }, plain);
  assert.deepEqual([plain.RevisionId, plain.LastUpdateStatus, plain.PackageType], [configured.RevisionId, 'Successful', 'Zip']);

  await lambda.send(new DeleteFunctionCommand({ FunctionName: 'takeOrders_v2' }));
  assert.deepEqual((await refusal(configurationOf('takeOrders_v2'))).slice(0, 2), ['ResourceNotFoundException', 404]);
  assert.deepEqual((await refusal(lambda.send(new DeleteFunctionCommand({ FunctionName: 'takeOrders_v2' })))).slice(0, 2), [
    'ResourceNotFoundException',
    404,
  ]);
});

test('what was there already, and what has changed since it was read, is a conflict', async () => {
  const made = await create('taken');
  assert.deepEqual(await refusal(create('taken')), ['ResourceConflictException', 409, 'Function already exist: taken']);
  const change = { FunctionName: 'taken', Description: 'new', RevisionId: made.RevisionId };
  const changed = await lambda.send(new UpdateFunctionConfigurationCommand(change));
  assert.equal(changed.Description, 'new');
  const stale = await refusal(lambda.send(new UpdateFunctionConfigurationCommand(change)));
  assert.deepEqual(stale.slice(0, 2), ['PreconditionFailedException', 412]);
  const code = { FunctionName: 'taken', ZipFile: packageOf('two') };
  const dry = await lambda.send(new UpdateFunctionCodeCommand({ ...code, DryRun: true }));
  assert.equal(dry.CodeSha256, sha256(packageOf('one')));
  assert.deepEqual((await refusal(lambda.send(new UpdateFunctionCodeCommand({ ...code, RevisionId: made.RevisionId }))))[1], 412);
});

test('functions are listed page by page, also those that were deployed otherwise', async () => {
  for (const name of ['list-a', 'list-b', 'list-c']) await create(name);
  await under.e2e.publish('list-d', 'export const handler = () => 1;', { runtime: 'nodejs24' });
  const names: string[] = [];
  for await (const page of paginateListFunctions({ client: lambda, pageSize: 2 }, {})) {
    assert.ok((page.Functions?.length ?? 0) <= 2);
    names.push(...(page.Functions ?? []).map(({ FunctionName = '' }) => FunctionName));
  }
  assert.deepEqual(
    names.filter((name) => name.startsWith('list-')),
    ['list-a', 'list-b', 'list-c', 'list-d'],
  );
  const { Runtime, Handler } = await configurationOf('list-d');
  assert.deepEqual([Runtime, Handler], ['nodejs24.x', 'index']);
});

test('each field is held to Lambda’s limits, and what is not served is refused by its name', async () => {
  for (const [more, type, message] of [
    [{ MemorySize: 64 }, 'ValidationException', /memorySize/],
    [{ Timeout: 901 }, 'ValidationException', /timeout/],
    [{ Role: 'me' }, 'ValidationException', /role/],
    [{ Description: 'x'.repeat(257) }, 'ValidationException', /description/],
    [{ Environment: { Variables: { '1a': 'x' } } }, 'ValidationException', /environment\.variables/],
    [{ Environment: { Variables: { BIG: 'x'.repeat(4_100) } } }, 'InvalidParameterValueException', /4KB limit/],
    [{ Environment: { Variables: { AWS_REGION: 'x' } } }, 'InvalidParameterValueException', /reserved keys.*AWS_REGION/],
    [{ Runtime: 'nodejs18.x' }, 'InvalidParameterValueException', /nodejs18\.x at 'runtime'/],
    [{ Runtime: undefined }, 'InvalidParameterValueException', /mandatory/],
    [
      { Layers: ['arn:aws:lambda:us-east-1:123456789012:layer:x:1'] },
      'InvalidParameterValueException',
      /names no version of a layer of this account/,
    ],
    [{ TracingConfig: { Mode: 'Active' } }, 'InvalidParameterValueException', /TracingConfig/],
    [{ VpcConfig: { SubnetIds: ['subnet-1'] } }, 'InvalidParameterValueException', /VpcConfig/],
    [{ Code: { S3Bucket: 'bucket', S3Key: 'key' } }, 'InvalidParameterValueException', /ZipFile/],
    [{ Code: { ZipFile: Buffer.from('no zip') } }, 'InvalidParameterValueException', /no zip/],
    [{ Handler: 'other.handler' }, 'InvalidParameterValueException', /"other"/],
    [{ FunctionName: 'Two__Scores' }, 'InvalidParameterValueException', /letters, digits/],
  ] as const) {
    const [name, status, said] = await refusal(create('limits', more as Partial<CreateFunctionCommandInput>));
    assert.deepEqual([name, status], [type, 400], said);
    assert.match(said, message);
  }
  const tooLarge = await refusal(create('limits', { Code: { ZipFile: Buffer.alloc(50 * 1024 * 1024 + 1) } }));
  assert.deepEqual(tooLarge.slice(0, 2), ['RequestTooLargeException', 413], tooLarge[2]);
  assert.equal((await refusal(configurationOf('limits')))[0], 'ResourceNotFoundException');
  // A name, a value and what stands around them in JSON: 4,096 bytes.
  const most = { MemorySize: 10_240, Timeout: 900, Description: 'x'.repeat(256), Environment: { Variables: { BIG: 'x'.repeat(4_086) } } };
  const made = await create('limits', { ...most, MemorySize: 128, Timeout: 1 });
  assert.deepEqual([made.MemorySize, made.Timeout, made.Environment], [128, 1, most.Environment]);
  const changed = await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'limits', ...most }));
  assert.deepEqual([changed.MemorySize, changed.Timeout, changed.Description], [10_240, 900, most.Description]);
});

test('a key changes what its role may change, and shows values to those who may', async () => {
  await create('shared', { Environment: { Variables: { TABLE: 'hidden' } } });
  const viewer = await clientWith('--role', 'viewer');
  assert.deepEqual((await refusal(create('denied', {}, viewer))).slice(0, 2), ['AccessDeniedException', 403]);
  assert.deepEqual((await refusal(viewer.send(new DeleteFunctionCommand({ FunctionName: 'shared' })))).slice(0, 2), [
    'AccessDeniedException',
    403,
  ]);
  const seen = await configurationOf('shared', viewer);
  assert.deepEqual([seen.Environment?.Variables, seen.Environment?.Error?.ErrorCode], [undefined, 'AccessDeniedException']);
  assert.deepEqual((await configurationOf('shared')).Environment?.Variables, { TABLE: 'hidden' });
  const { apiUrl, token } = under.e2e.platform;
  const response = await fetch(`${apiUrl}/v1/audit?last=1000`, { headers: { authorization: `Bearer ${token}` } });
  const { records } = (await response.json()) as { records: { action: string; actor: { id: string } }[] };
  const looks = records.filter(({ action }) => action === 'GET /2015-03-31/functions/:FunctionName/configuration?reveal');
  assert.deepEqual([...new Set(looks.map(({ actor }) => `SWLT${actor.id.toUpperCase()}`))], [key.accessKeyId]);
  const other = await clientWith('--role', 'developer', '--function', 'mine');
  assert.deepEqual((await refusal(configurationOf('shared', other))).slice(0, 2), ['ResourceNotFoundException', 404]);
  assert.equal((await create('mine', {}, other)).FunctionName, 'mine');
});

test('a function builds on layers: what they have is in /opt, and is required; a bootstrap finds it, too', async () => {
  const Content = {
    ZipFile: zip(
      { name: 'nodejs/node_modules/greets/index.js', content: 'exports.word = "from a layer";' },
      { name: 'words.txt', content: 'kept' },
    ),
  };
  const { LayerVersionArn = '' } = await lambda.send(new PublishLayerVersionCommand({ LayerName: 'greets', Content }));
  const reads = `exports.handler = async () => [require('greets').word, require('node:fs').readFileSync('/opt/words.txt', 'utf8')];`;
  const made = await create('layered', { Layers: [LayerVersionArn], Code: { ZipFile: zip({ name: 'index.js', content: reads }) } });
  assert.deepEqual(made.Layers, [{ Arn: LayerVersionArn }]);
  assert.deepEqual(await answerOf('layered'), ['from a layer', 'kept']);

  const bootstrap = `#!/bin/sh
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  id=$(curl -sS -o /dev/null -D - "$api/next" | tr -d '\\r' | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
  curl -sS -o /dev/null -d "\\"$(cat /opt/words.txt)\\"" "$api/$id/response"
done`;
  const Code = { ZipFile: zip({ name: 'bootstrap', content: bootstrap, mode: 0o100755 }) };
  await create('layered-bootstrap', { Runtime: 'provided.al2023', Handler: 'any', Layers: [LayerVersionArn], Code });
  assert.equal(await answerOf('layered-bootstrap'), 'kept');
});
