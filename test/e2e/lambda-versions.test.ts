/** Versions and aliases by AWS's own SDK, against a whole platform. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  GetAliasCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  type LambdaClient,
  ListAliasesCommand,
  ListVersionsByFunctionCommand,
  paginateListVersionsByFunction,
  PublishVersionCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { zip } from '../lambda/zip.ts';
import { type LambdaUnderTest, openLambda, refusal as refusalOf } from './lambda-under-test.ts';

const FunctionName = 'orders';
const packageOf = (mark: number) => zip({ name: 'index.js', content: `exports.handler = async () => ${mark};` });

let under: LambdaUnderTest;
let lambda: LambdaClient;

const refusal = async (work: Promise<unknown>) => (await refusalOf(work)).slice(0, 2);

async function markOf(Qualifier?: string): Promise<number> {
  const { Payload, FunctionError } = await lambda.send(new InvokeCommand({ FunctionName, Qualifier }));
  assert.equal(FunctionError, undefined);
  return Number(Buffer.from(Payload ?? []).toString());
}

/** Three versions: each returns its number. */
before(async () => {
  under = await openLambda();
  lambda = under.client(await under.key('--role', 'developer'));
  const Role = 'arn:aws:iam::123456789012:role/lambda-role';
  const made = { FunctionName, Role, Runtime: 'nodejs24.x', Handler: 'index.handler', Code: { ZipFile: packageOf(1) } } as const;
  await lambda.send(new CreateFunctionCommand({ ...made, Publish: true }));
  for (const mark of [2, 3]) await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: packageOf(mark) }));
});
after(() => under[Symbol.asyncDispose]());

test('what serves is published with its number, the same as long as nothing changes', async () => {
  const published = await lambda.send(new PublishVersionCommand({ FunctionName, Description: 'the third' }));
  assert.equal(published.Description, 'the third');
  assert.deepEqual([published.Version, published.FunctionArn?.endsWith(':orders:3')], ['3', true]);
  const again = await lambda.send(
    new PublishVersionCommand({ FunctionName, CodeSha256: published.CodeSha256, RevisionId: published.RevisionId }),
  );
  assert.deepEqual([again.Version, again.Description, again.RevisionId], ['3', 'the third', published.RevisionId]);
  assert.deepEqual(await refusal(lambda.send(new PublishVersionCommand({ FunctionName, CodeSha256: 'other' }))), [
    'InvalidParameterValueException',
    400,
  ]);
  assert.deepEqual(await refusal(lambda.send(new PublishVersionCommand({ FunctionName, RevisionId: 'other' }))), [
    'PreconditionFailedException',
    412,
  ]);
  const versions: (string | undefined)[] = [];
  for await (const { Versions = [] } of paginateListVersionsByFunction({ client: lambda, pageSize: 2 }, { FunctionName }))
    versions.push(...Versions.map(({ Version }) => Version));
  assert.deepEqual(versions, ['$LATEST', '1', '2', '3']);
  const gone = await refusal(lambda.send(new ListVersionsByFunctionCommand({ FunctionName, Marker: '99' })));
  assert.deepEqual(gone.slice(0, 2), ['InvalidParameterValueException', 400], 'a page after what is not there has no end');
  const { Versions = [] } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName }));
  assert.equal(new Set(Versions.map(({ CodeSha256 }) => CodeSha256)).size, 3, 'each has its own package');
  assert.deepEqual(
    Versions.map(({ Description }) => Description),
    ['', '', '', 'the third'],
  );
});

test('an alias points to a version, and then to another; it is described, listed and removed', async () => {
  const made = await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'PROD', FunctionVersion: '1', Description: 'for shops' }));
  assert.deepEqual(
    [made.Name, made.FunctionVersion, made.Description, made.AliasArn],
    ['PROD', '1', 'for shops', 'arn:aws:lambda:eu-central-1:000000000000:function:orders:PROD'],
  );
  assert.equal(await markOf('PROD'), 1);
  const configured = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier: 'PROD' }));
  assert.equal(configured.Version, '1');
  const moved = await lambda.send(
    new UpdateAliasCommand({ FunctionName, Name: 'PROD', FunctionVersion: '2', RevisionId: made.RevisionId }),
  );
  assert.deepEqual([moved.FunctionVersion, moved.Description], ['2', 'for shops']);
  assert.equal(await markOf('PROD'), 2);
  const stale = new UpdateAliasCommand({ FunctionName, Name: 'PROD', Description: 'x', RevisionId: made.RevisionId });
  assert.deepEqual(await refusal(lambda.send(stale)), ['PreconditionFailedException', 412]);
  const { RevisionId } = await lambda.send(new GetAliasCommand({ FunctionName, Name: 'PROD' }));
  assert.equal(RevisionId, moved.RevisionId);
  const { Aliases = [] } = await lambda.send(new ListAliasesCommand({ FunctionName, FunctionVersion: '2' }));
  assert.deepEqual(
    Aliases.map(({ Name }) => Name),
    ['PROD'],
  );
  assert.deepEqual(await refusal(lambda.send(new CreateAliasCommand({ FunctionName, Name: 'PROD', FunctionVersion: '1' }))), [
    'ResourceConflictException',
    409,
  ]);
  await lambda.send(new DeleteAliasCommand({ FunctionName, Name: 'PROD' }));
  assert.deepEqual(await refusal(lambda.send(new GetAliasCommand({ FunctionName, Name: 'PROD' }))), ['ResourceNotFoundException', 404]);
});

test('an alias divides its requests by weights', async () => {
  const RoutingConfig = { AdditionalVersionWeights: { '3': 0.25 } };
  const made = await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'canary', FunctionVersion: '2', RoutingConfig }));
  assert.deepEqual([made.FunctionVersion, made.RoutingConfig?.AdditionalVersionWeights], ['2', { '3': 0.25 }]);
  const marks = new Set<number>();
  for (let count = 0; count < 200 && marks.size < 2; count++) marks.add(await markOf('canary'));
  assert.deepEqual([...marks].toSorted(), [2, 3]);
  const whole = await lambda.send(
    new UpdateAliasCommand({ FunctionName, Name: 'canary', FunctionVersion: '3', RoutingConfig: { AdditionalVersionWeights: {} } }),
  );
  assert.deepEqual([whole.FunctionVersion, whole.RoutingConfig], ['3', undefined]);
  assert.equal(await markOf('canary'), 3);
});

test('what no alias can be is refused', async () => {
  const create = (more: object) => lambda.send(new CreateAliasCommand({ FunctionName, Name: 'wrong', FunctionVersion: '1', ...more }));
  for (const [more, type, status] of [
    [{ FunctionVersion: '$LATEST' }, 'InvalidParameterValueException', 400],
    [{ FunctionVersion: '77' }, 'ResourceNotFoundException', 404],
    [{ FunctionVersion: 'one' }, 'ValidationException', 400],
    [{ Name: 'wrong_' }, 'InvalidParameterValueException', 400],
    [{ RoutingConfig: { AdditionalVersionWeights: { '2': 1 } } }, 'InvalidParameterValueException', 400],
    [{ RoutingConfig: { AdditionalVersionWeights: { '2': 0.0001 } } }, 'InvalidParameterValueException', 400],
    [{ RoutingConfig: { AdditionalVersionWeights: { '1': 0.5 } } }, 'InvalidParameterValueException', 400],
    [{ RoutingConfig: { AdditionalVersionWeights: { '2': 2 } } }, 'ValidationException', 400],
    [{ FunctionName: 'nobody' }, 'ResourceNotFoundException', 404],
  ] as const)
    assert.deepEqual(await refusal(create(more)), [type, status], JSON.stringify(more));
});
