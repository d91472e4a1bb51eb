/** What AWS's own SDK says of a function beside its code: who may invoke it, where, how often, and how its answer comes. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AddPermissionCommand,
  type AddPermissionCommandInput,
  CreateEventSourceMappingCommand,
  CreateFunctionUrlConfigCommand,
  DeleteEventSourceMappingCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteFunctionEventInvokeConfigCommand,
  DeleteFunctionUrlConfigCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetEventSourceMappingCommand,
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
  UpdateEventSourceMappingCommand,
  UpdateFunctionEventInvokeConfigCommand,
  UpdateFunctionUrlConfigCommand,
} from '@aws-sdk/client-lambda';
import { AwsClient } from 'aws4fetch';
import { accountOf } from '../../src/model/account.ts';
import { brokerPassword } from '../brokers/broker.ts';
import { kafkaUser, makeTopic, produce, startKafka } from '../brokers/kafka.ts';
import { rabbitmqUser, startRabbitmq, withChannel } from '../brokers/rabbitmq.ts';
import { eventually } from './functions.ts';
import { type Key, type LambdaUnderTest, openLambda, refusal, region } from './lambda-under-test.ts';

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
  assert.equal(await anonymous(), 403);
  await lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName, AuthType: 'NONE' }));
  assert.equal(await anonymous(), 200);
  const { FunctionUrlConfigs } = await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName }));
  assert.equal(FunctionUrlConfigs?.length, 1);
  await lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName }));
  assert.equal(await anonymous(), 401);
  await removePermission('url');
  await removePermission('via');
});

test('an address sends what a handler streams whole, with its length, unless its InvokeMode is RESPONSE_STREAM', async () => {
  await under.e2e.publish(
    'buffered',
    `
    export const handler = awslambda.streamifyResponse(async (event, stream) => {
      stream = awslambda.HttpResponseStream.from(stream, { statusCode: 201, headers: { 'x-own': 'kept' } });
      const [pieces, failing] = [Number(event.queryStringParameters.pieces), event.queryStringParameters.failing];
      for (let i = 0; i < pieces; i += 1) { stream.write(Buffer.alloc(65536, 97 + (i % 26))); await new Promise(setImmediate); }
      if (failing !== undefined) throw new Error('in the middle');
      stream.end('the end');
    });`,
    { url: 'public' },
  );
  const named = { FunctionName: 'buffered' };
  const get = async (query: string) => {
    const answer = await fetch(`${under.e2e.platform.gatewayUrl}/buffered/?${query}`);
    const { status, headers } = answer;
    const text = await answer.text().catch(() => 'broken off');
    return { status, length: headers.get('content-length'), own: headers.get('x-own'), error: headers.get('x-swiftlet-error'), text };
  };
  const [middle, large, tooLarge] = [2, 90, 100];
  assert.equal((await get(`pieces=${middle}`)).length, null);
  await lambda.send(new CreateFunctionUrlConfigCommand({ ...named, AuthType: 'NONE' }));
  for (const pieces of [0, middle, large]) {
    const { text, ...head } = await get(`pieces=${pieces}`);
    const bytes = pieces * 65_536 + 'the end'.length;
    assert.deepEqual(head, { status: 201, length: String(bytes), own: 'kept', error: null });
    assert.deepEqual([text.length, text.at(0), text.slice(-7)], [bytes, pieces === 0 ? 't' : 'a', 'the end']);
  }
  const refused = await get(`pieces=${tooLarge}`);
  assert.deepEqual([refused.status, refused.error], [502, 'ResponseTooLarge'], refused.text);
  const failed = await get(`pieces=${middle}&failing=yes`);
  assert.deepEqual([failed.status, failed.error], [502, 'HandlerError'], 'nothing of it is out');
  await lambda.send(new UpdateFunctionUrlConfigCommand({ ...named, InvokeMode: 'RESPONSE_STREAM' }));
  const { text, length } = await get(`pieces=${tooLarge}`);
  assert.deepEqual([length, text.length], [null, tooLarge * 65_536 + 7]);
  assert.equal((await get(`pieces=${middle}&failing=yes`)).text, 'broken off');
  await lambda.send(new UpdateFunctionUrlConfigCommand({ ...named, InvokeMode: 'BUFFERED' }));
  assert.equal((await get(`pieces=${middle}`)).length, String(middle * 65_536 + 7));
  await lambda.send(new DeleteFunctionUrlConfigCommand(named));
  assert.equal((await get(`pieces=${middle}`)).length, null);
});

test('an address of AWS_IAM takes what is signed with a key that may, by header and by query, and refuses all else as AWS does', async () => {
  await under.e2e.publish(
    'signed',
    'export const handler = ({ body, requestContext }) => ({ body, by: requestContext.authorizer?.iam });',
    {
      url: 'public',
    },
  );
  const Cors = { AllowOrigins: ['https://app.example'], AllowMethods: ['POST'], AllowHeaders: ['X-Own'], MaxAge: 60 };
  const named = { FunctionName: 'signed' };
  const made = await lambda.send(
    new CreateFunctionUrlConfigCommand({ ...named, AuthType: 'AWS_IAM', InvokeMode: 'RESPONSE_STREAM', Cors }),
  );
  assert.deepEqual([made.InvokeMode, made.Cors], ['RESPONSE_STREAM', Cors]);
  const url = `${made.FunctionUrl ?? ''}path?a=1`;
  const sending = { method: 'POST', body: 'told' };
  const sent = async (...how: Parameters<typeof fetch>) => {
    const response = await fetch(...how);
    const text = await response.text();
    return { status: response.status, error: response.headers.get('x-amzn-errortype'), json: JSON.parse(text) as Record<string, unknown> };
  };
  const caller = await under.key('--role', 'invoker', '--function', 'signed');
  const signerOf = ({ accessKeyId, secretAccessKey }: Key) =>
    new AwsClient({ accessKeyId, secretAccessKey, region, service: 'lambda', retries: 0 });
  const signer = signerOf(caller);
  for (const signQuery of [false, true]) {
    const { status, json } = await sent(await signer.sign(`${url}&X-Amz-Expires=60`, { ...sending, aws: { signQuery } }));
    assert.equal(status, 200, JSON.stringify(json));
    const { accessKey, accountId, userArn } = json['by'] as Record<string, string>;
    assert.deepEqual(
      [json['body'], accessKey, accountId, userArn],
      ['told', caller.accessKeyId, '000000000000', `arn:aws:iam::000000000000:user/${caller.accessKeyId}`],
    );
  }
  assert.equal(await statusAt('/signed/', { authorization: `Bearer ${caller.token}` }), 200, 'a token still does');

  const refused = [
    ['unsigned', sent(url, sending), 'AccessDeniedException', 'Forbidden'],
    [
      'changed',
      signer.sign(url, sending).then((request) => sent(request.url, { ...sending, headers: request.headers, body: 'else' })),
      'InvalidSignatureException',
      /does not match/,
    ],
    [
      'another secret',
      signerOf({ ...caller, secretAccessKey: 'wrong' })
        .sign(url, sending)
        .then((request) => sent(request)),
      'InvalidSignatureException',
      /does not match/,
    ],
    [
      'no such key',
      signerOf({ ...caller, accessKeyId: 'AKIDEXAMPLE000000000' })
        .sign(url, sending)
        .then((request) => sent(request)),
      'UnrecognizedClientException',
      /invalid/,
    ],
    [
      'no right',
      under
        .key('--role', 'invoker', '--function', 'other')
        .then((key) => signerOf(key).sign(url, sending))
        .then((request) => sent(request)),
      'AccessDeniedException',
      'Forbidden',
    ],
  ] as const;
  for (const [what, asked, type, message] of refused) {
    const { status, error, json } = await asked;
    assert.deepEqual([status, error], [403, type], what);
    assert.match(String(json['Message']), new RegExp(message), what);
  }

  const asksFirst = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
  const preflight = await fetch(url, { method: 'OPTIONS', headers: asksFirst });
  assert.equal(preflight.status, 204);
  const { headers } = preflight;
  assert.deepEqual(
    ['origin', 'methods', 'headers'].map((what) => headers.get(`access-control-allow-${what}`)),
    ['https://app.example', 'POST', 'x-own'],
  );
  assert.equal(headers.get('access-control-max-age'), '60');
  const credentials = { AllowOrigins: ['*'], AllowCredentials: true };
  assert.equal(
    (await refusal(lambda.send(new UpdateFunctionUrlConfigCommand({ ...named, Cors: credentials }))))[0],
    'InvalidParameterValueException',
  );
  await lambda.send(new DeleteFunctionUrlConfigCommand(named));
  assert.equal((await fetch(url, { method: 'OPTIONS', headers: asksFirst })).headers.get('access-control-allow-origin'), null);
  assert.equal((await sent(url, sending)).status, 200, 'it is as open as its manifest says');
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
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 0 }));
  assert.equal((await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }))).ReservedConcurrentExecutions, 0);
  assert.deepEqual((await refusal(lambda.send(new InvokeCommand({ FunctionName })))).slice(0, 2), ['TooManyRequestsException', 429]);
  await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName }));
  assert.equal((await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }))).ReservedConcurrentExecutions, undefined);
  assert.equal((await lambda.send(new InvokeCommand({ FunctionName }))).StatusCode, 200);

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
  assert.deepEqual([AccountLimit?.CodeSizeZipped, AccountUsage?.FunctionCount], [52_428_800, 5]);
});

test('a mapping of a Kafka of one’s own hands messages to the function, in the event that Lambda has for it', async () => {
  await using kafka = await startKafka();
  const keeps = `const seen = [];
  export const handler = (event) => event.ask ? seen : seen.push(event);`;
  await under.e2e.publish('takes', keeps, { maximum: 1 });
  await putLogin('kafka-login', kafkaUser);
  await makeTopic(kafka.port, 'mapped', 1);
  const server = `127.0.0.1:${kafka.port}`;
  const { UUID, State } = await lambda.send(
    new CreateEventSourceMappingCommand({
      FunctionName: 'takes',
      SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: [`SASL_PLAINTEXT://${server}`] } },
      SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: `arn:aws:secretsmanager:${region}:000000000000:secret:kafka-login` }],
      Topics: ['mapped'],
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 10,
      FilterCriteria: { Filters: [{ Pattern: '{"value":{"kind":["order"]}}' }] },
    }),
  );
  assert.equal(State, 'Creating');
  const mapping = () => lambda.send(new GetEventSourceMappingCommand({ UUID }));
  const enabled = await eventually(mapping, (one) => one.State === 'Enabled' && one.LastProcessingResult === 'OK');
  assert.equal(enabled.LastProcessingResult, 'OK', JSON.stringify(enabled));

  const bodies = ['{"kind":"order","item":1}', '{"kind":"else"}', '{"kind":"order","item":2}'];
  await produce(
    kafka.port,
    'mapped',
    bodies.map((body) => ({ body, key: 'k' })),
  );
  const seen = async () => {
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: 'takes', Payload: '{"ask":true}' }));
    return JSON.parse(Buffer.from(Payload ?? []).toString()) as KafkaEvent[];
  };
  const values = (events: readonly KafkaEvent[]) =>
    events.flatMap(({ records }) => (records['mapped-0'] ?? []).map(({ value }) => Buffer.from(value, 'base64').toString()));
  const events = await eventually(seen, (came) => values(came).length === 2);
  assert.deepEqual(values(events), [bodies[0], bodies[2]]);
  const [{ eventSource, bootstrapServers, records }] = events as [KafkaEvent];
  assert.deepEqual([eventSource, bootstrapServers], ['SelfManagedKafka', server]);
  const { value, timestamp, ...record } = records['mapped-0']?.[0] ?? { value: '', timestamp: '' };
  assert.deepEqual([typeof value, typeof timestamp], ['string', 'number']);
  const key = Buffer.from('k').toString('base64');
  assert.deepEqual(record, { topic: 'mapped', partition: 0, offset: 0, timestampType: 'CREATE_TIME', key, headers: [] });

  await lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
  assert.deepEqual((await refusal(mapping())).slice(0, 2), missing);
});

/** As AWS has logins of brokers: a secret with both of its parts. */
async function putLogin(name: string, username: string): Promise<void> {
  const { apiUrl, token } = under.e2e.platform;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ value: JSON.stringify({ username, password: brokerPassword }) });
  const { status } = await fetch(`${apiUrl}/v1/secrets/${name}`, { method: 'PUT', headers, body });
  assert.ok(status < 300, String(status));
}

test('a mapping of a RabbitMQ hands messages to the function as those of Amazon MQ, is paused and goes on, and goes', async () => {
  await using rabbitmq = await startRabbitmq();
  const queue = 'incoming';
  await withChannel(rabbitmq.port, (channel) => channel.assertQueue(queue, { durable: true }));
  const send = (...bodies: string[]) =>
    withChannel(rabbitmq.port, (channel) => {
      for (const body of bodies) channel.sendToQueue(queue, Buffer.from(body), { contentType: 'text/plain', headers: { from: 'test' } });
      return Promise.resolve();
    });
  await under.e2e.publish('eats', 'const seen = []; export const handler = (event) => event.ask ? seen : void seen.push(event);', {
    maximum: 1,
  });
  await putLogin('rabbit-login', rabbitmqUser);
  const EventSourceArn = `arn:aws:mq:${region}:000000000000:broker:127.0.0.1:${rabbitmq.port}`;
  const access = (URI: string) => [{ Type: 'BASIC_AUTH' as const, URI }];
  const wish = { FunctionName: 'eats', EventSourceArn, Queues: [queue], BatchSize: 10 };
  const unknown = lambda.send(new CreateEventSourceMappingCommand({ ...wish, SourceAccessConfigurations: access('no-such-login') }));
  assert.deepEqual((await refusal(unknown)).slice(0, 2), ['InvalidParameterValueException', 400]);
  const SourceAccessConfigurations = access(`arn:aws:secretsmanager:${region}:000000000000:secret:rabbit-login`);
  const { UUID } = await lambda.send(new CreateEventSourceMappingCommand({ ...wish, SourceAccessConfigurations }));
  const mapping = () => lambda.send(new GetEventSourceMappingCommand({ UUID }));
  const isIn = (state: string) => eventually(mapping, (one) => one.State === state, waitMs);
  await eventually(mapping, (one) => one.State === 'Enabled' && one.LastProcessingResult === 'OK', waitMs);

  await send('first 🐦', 'second');
  const seen = async () => {
    const { Payload } = await lambda.send(new InvokeCommand({ FunctionName: 'eats', Payload: '{"ask":true}' }));
    return JSON.parse(Buffer.from(Payload ?? []).toString()) as RabbitmqEvent[];
  };
  const messagesIn = (events: readonly RabbitmqEvent[]) => events.flatMap(({ rmqMessagesByQueue: all }) => all[`${queue}::/`] ?? []);
  const bodiesIn = (events: readonly RabbitmqEvent[]) => messagesIn(events).map(({ data }) => Buffer.from(data, 'base64').toString());
  const events = await eventually(seen, (came) => bodiesIn(came).length === 2, waitMs);
  assert.deepEqual(bodiesIn(events), ['first 🐦', 'second']);
  const [{ eventSource, eventSourceArn } = {}] = events;
  assert.deepEqual([eventSource, eventSourceArn], ['aws:rmq', `arn:swiftlet:mq:local::broker:127.0.0.1:${rabbitmq.port}`]);
  const told = messagesIn(events)[0]?.basicProperties ?? {};
  assert.deepEqual(
    [told['contentType'], told['headers'], told['bodySize']],
    ['text/plain', { from: { bytes: [...Buffer.from('test')] } }, 10],
  );

  await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
  await isIn('Disabled');
  await send('third');
  await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true }));
  await isIn('Enabled');
  assert.deepEqual(bodiesIn(await eventually(seen, (came) => bodiesIn(came).includes('third'), waitMs)).at(-1), 'third');
  await lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
  assert.deepEqual((await refusal(mapping())).slice(0, 2), missing);
});

/** For brokers and what talks to them, however busy the machine is. */
const waitMs = 60_000;

interface RabbitmqEvent {
  readonly eventSource: string;
  readonly eventSourceArn: string;
  readonly rmqMessagesByQueue: Readonly<
    Record<string, readonly { readonly data: string; readonly basicProperties: Readonly<Record<string, unknown>> }[]>
  >;
}

interface KafkaEvent {
  readonly eventSource: string;
  readonly bootstrapServers: string;
  readonly records: Readonly<Record<string, readonly KafkaRecord[]>>;
}

interface KafkaRecord {
  readonly value: string;
  readonly timestamp: number;
}
