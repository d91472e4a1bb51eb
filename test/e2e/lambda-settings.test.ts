/** What AWS's own SDK says of a function beside its code: who may invoke it, where, how often, and how its answer comes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AddPermissionCommand,
  type AddPermissionCommandInput,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteFunctionEventInvokeConfigCommand,
  DeleteFunctionUrlConfigCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  type LambdaClient,
  ListFunctionEventInvokeConfigsCommand,
  ListFunctionUrlConfigsCommand,
  ListProvisionedConcurrencyConfigsCommand,
  ListTagsCommand,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  PutProvisionedConcurrencyConfigCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionEventInvokeConfigCommand,
  UpdateFunctionUrlConfigCommand,
} from '@aws-sdk/client-lambda';
import { accountOf } from '../../src/model/account.ts';
import { type LambdaUnderTest, openLambda, refusal, region } from './lambda-under-test.ts';

const FunctionName = 'shared';
const ours = `arn:aws:lambda:${region}:000000000000:function:${FunctionName}`;
let under: LambdaUnderTest;
let lambda: LambdaClient;

before(async () => {
  under = await openLambda();
  await under.e2e.publish(FunctionName, 'export const handler = () => "shared";', { url: 'token' });
  const streamed = `export const handler = awslambda.streamifyResponse(async (event, stream) => {
    stream.write('first ');
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (event.fail) throw new RangeError('half way');
    stream.write('second');
    stream.end();
  });`;
  await under.e2e.publish('streamed', streamed);
  await under.e2e.publish('thrown', 'export const handler = () => { throw new RangeError("no"); };');
  lambda = under.client(await under.key('--role', 'developer'));
});
after(() => under[Symbol.asyncDispose]());

const missing = ['ResourceNotFoundException', 404];
const addPermission = (more: Partial<AddPermissionCommandInput>) =>
  lambda.send(new AddPermissionCommand({ FunctionName, StatementId: 'guests', Action: 'lambda:InvokeFunction', Principal: '*', ...more }));
const removePermission = (StatementId = 'guests', Qualifier?: string) =>
  lambda.send(new RemovePermissionCommand({ FunctionName, StatementId, Qualifier }));
const statusAt = async (path: string, headers: Record<string, string> = {}) => (await under.e2e.call(path, { headers })).status;

test('a policy lets another tenant, or a single key, invoke a function, at every door, until it is removed', async () => {
  await under.swiftlet('tenant', 'create', 'acme');
  const guest = await under.key('--tenant', 'acme', '--role', 'invoker');
  const narrow = await under.key('--tenant', 'acme', '--role', 'invoker', '--function', 'other');
  const [guests, narrowed] = [under.client(guest), under.client(narrow)];
  const invoke = async (by: LambdaClient, Qualifier?: string) => {
    const { Payload } = await by.send(new InvokeCommand({ FunctionName: ours, Qualifier }));
    return Buffer.from(Payload ?? []).toString();
  };
  const bearer = { authorization: `Bearer ${guest.token}` };
  assert.deepEqual((await refusal(invoke(guests))).slice(0, 2), missing);
  assert.equal(await statusAt(`/${FunctionName}`, bearer), 404);

  const { Statement } = await addPermission({ Principal: accountOf('acme') });
  const said = { Sid: 'guests', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${accountOf('acme')}:root` } };
  assert.deepEqual(JSON.parse(Statement ?? ''), { ...said, Action: 'lambda:InvokeFunction', Resource: ours });
  assert.equal(await invoke(guests), '"shared"');
  assert.equal(await statusAt(`/${FunctionName}`, bearer), 200);
  assert.deepEqual((await refusal(invoke(guests, 'live'))).slice(0, 2), missing, 'an alias is let in to by itself');
  assert.deepEqual((await refusal(invoke(narrowed))).slice(0, 2), missing, 'who may invoke one function is not his tenant');
  assert.deepEqual((await refusal(guests.send(new GetFunctionCommand({ FunctionName: ours })))).slice(0, 2), [
    'AccessDeniedException',
    403,
  ]);

  await addPermission({ StatementId: 'key', Principal: `arn:aws:iam::${accountOf('acme')}:user/${narrow.accessKeyId}`, Qualifier: 'live' });
  assert.equal(await invoke(narrowed, 'live'), '"shared"');
  await removePermission('key', 'live');
  assert.deepEqual((await refusal(invoke(narrowed, 'live'))).slice(0, 2), missing);

  const { Policy, RevisionId } = await lambda.send(new GetPolicyCommand({ FunctionName }));
  assert.equal((JSON.parse(Policy ?? '') as { Statement: unknown[] }).Statement.length, 1);
  assert.deepEqual((await refusal(addPermission({}))).slice(0, 2), ['ResourceConflictException', 409]);
  assert.deepEqual((await refusal(addPermission({ StatementId: 'b', RevisionId: 'x' }))).slice(0, 2), ['PreconditionFailedException', 412]);
  await addPermission({ StatementId: 'service', Principal: 'apigateway.amazonaws.com', RevisionId });
  await removePermission('service');
  for (const [more, said] of [
    [{ Action: 'lambda:DeleteFunction' }, /role/],
    [{ Principal: 'somebody' }, /principal was invalid/],
    [{ SourceArn: 'arn:aws:s3:::bucket' }, /for services/],
  ] as const)
    assert.match((await refusal(addPermission({ StatementId: 'b', ...more })))[2], said);

  await removePermission();
  assert.deepEqual((await refusal(invoke(guests))).slice(0, 2), missing);
  assert.equal(await statusAt(`/${FunctionName}`, bearer), 404);
  assert.deepEqual((await refusal(lambda.send(new GetPolicyCommand({ FunctionName })))).slice(0, 2), missing);
  assert.deepEqual((await refusal(removePermission())).slice(0, 2), missing);
});

test('an address takes requests of anybody when both it and the policy say so, and only then', async () => {
  const anonymous = () => statusAt(`/${FunctionName}`);
  assert.deepEqual((await refusal(lambda.send(new GetFunctionUrlConfigCommand({ FunctionName })))).slice(0, 2), missing);
  const made = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE' }));
  assert.deepEqual(
    [made.FunctionUrl, made.AuthType, made.FunctionArn],
    [`${under.e2e.platform.gatewayUrl}/${FunctionName}/`, 'NONE', ours],
  );
  assert.equal(await anonymous(), 401);
  await addPermission({ StatementId: 'url', Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' });
  await addPermission({ StatementId: 'via', InvokedViaFunctionUrl: true });
  assert.equal(await anonymous(), 200);
  await lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName, AuthType: 'AWS_IAM' }));
  assert.equal(await anonymous(), 401);
  await lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE' }));
  assert.equal(await anonymous(), 200);
  const { FunctionUrlConfigs } = await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName }));
  assert.equal(FunctionUrlConfigs?.length, 1);
  await lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName }));
  assert.equal(await anonymous(), 401);
  await removePermission('url');
  await removePermission('via');
});

test('an answer is streamed as it is made; what fails is told at its end', async () => {
  const messages = async (name: string, event = '{}') => {
    const { EventStream = [] } = await lambda.send(
      new InvokeWithResponseStreamCommand({ FunctionName: name, Payload: Buffer.from(event), LogType: 'Tail' }),
    );
    const chunks: string[] = [];
    for await (const { PayloadChunk, InvokeComplete } of EventStream) {
      if (PayloadChunk !== undefined) chunks.push(Buffer.from(PayloadChunk.Payload ?? []).toString());
      if (InvokeComplete !== undefined) return { chunks, ...InvokeComplete };
    }
    return { chunks };
  };
  const whole = await messages('streamed');
  assert.deepEqual([whole.chunks, whole.ErrorCode], [['first ', 'second'], undefined]);
  assert.match(Buffer.from(whole.LogResult ?? '', 'base64').toString(), /^START RequestId/);
  assert.deepEqual((await messages(FunctionName)).chunks, ['"shared"']);
  const half = await messages('streamed', '{"fail":true}');
  assert.deepEqual([half.chunks, half.ErrorCode], [['first '], 'Unhandled']);
  const thrown = await messages('thrown');
  assert.deepEqual(
    [thrown.chunks, thrown.ErrorCode, (JSON.parse(thrown.ErrorDetails ?? '') as { errorType: string }).errorType],
    [[], 'Unhandled', 'RangeError'],
  );
  assert.deepEqual((await refusal(messages('nobody'))).slice(0, 2), missing);
});

test('concurrency, what becomes of events, and tags are said by the SDK, and hold', async () => {
  const configuration = async () => {
    const { platform } = under.e2e;
    const response = await fetch(`${platform.apiUrl}/v1/functions/${FunctionName}?reveal=true`, {
      headers: { authorization: `Bearer ${platform.token}` },
    });
    return ((await response.json()) as { serving: { config: Record<string, unknown> } }).serving.config;
  };
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 7 }));
  assert.equal((await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }))).ReservedConcurrentExecutions, 7);
  assert.equal((await lambda.send(new GetFunctionCommand({ FunctionName }))).Concurrency?.ReservedConcurrentExecutions, 7);
  assert.equal((await configuration())['maximum'], 7);
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  assert.equal((await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }))).ReservedConcurrentExecutions, undefined);

  const live = { FunctionName, Qualifier: 'live' };
  const none = await refusal(lambda.send(new GetProvisionedConcurrencyConfigCommand(live)));
  assert.deepEqual(none.slice(0, 2), ['ProvisionedConcurrencyConfigNotFoundException', 404]);
  const provisioned = await lambda.send(new PutProvisionedConcurrencyConfigCommand({ ...live, ProvisionedConcurrentExecutions: 1 }));
  assert.deepEqual([provisioned.Status, provisioned.AvailableProvisionedConcurrentExecutions], ['READY', 1]);
  assert.equal((await configuration())['minimum'], 1);
  const listed = await lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName }));
  assert.equal(listed.ProvisionedConcurrencyConfigs?.[0]?.FunctionArn, `${ours}:live`);
  await lambda.send(new DeleteProvisionedConcurrencyConfigCommand(live));
  assert.equal((await configuration())['minimum'], 0);

  assert.deepEqual((await refusal(lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName })))).slice(0, 2), missing);
  const to = `arn:aws:lambda:${region}:000000000000:function:thrown`;
  const DestinationConfig = { OnFailure: { Destination: to } };
  await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0, DestinationConfig }));
  const updated = await lambda.send(new UpdateFunctionEventInvokeConfigCommand({ FunctionName, MaximumEventAgeInSeconds: 60 }));
  assert.deepEqual(
    [updated.MaximumRetryAttempts, updated.MaximumEventAgeInSeconds, updated.DestinationConfig?.OnFailure?.Destination],
    [0, 60, to],
  );
  assert.deepEqual((await configuration())['destinations'], { failure: { kind: 'function', function: 'thrown' } });
  const { FunctionEventInvokeConfigs } = await lambda.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName }));
  assert.equal(FunctionEventInvokeConfigs?.length, 1);
  await lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName }));
  assert.deepEqual((await configuration())['destinations'], {});

  await lambda.send(new TagResourceCommand({ Resource: ours, Tags: { team: 'shop', stage: 'test' } }));
  await lambda.send(new UntagResourceCommand({ Resource: ours, TagKeys: ['stage'] }));
  assert.deepEqual((await lambda.send(new ListTagsCommand({ Resource: ours }))).Tags, { team: 'shop' });
  assert.deepEqual((await lambda.send(new GetFunctionCommand({ FunctionName }))).Tags, { team: 'shop' });

  const { AccountLimit, AccountUsage } = await lambda.send(new GetAccountSettingsCommand({}));
  assert.deepEqual([AccountLimit?.CodeSizeZipped, AccountUsage?.FunctionCount], [52_428_800, 3]);
});
