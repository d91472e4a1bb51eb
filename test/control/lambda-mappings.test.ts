/** Event source mappings as AWS's SDK makes, lists, changes and deletes them, at control alone; what is delivered is in e2e/lambda-settings. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  type LambdaClient,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
  TagResourceCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { type ControlUnderTest, startUnderTest } from './control-under-test.ts';
import { clientOf, refusal, region } from './lambda-client.ts';

type Draft = CreateEventSourceMappingCommandInput;
const kafka = {
  FunctionName: 'orders',
  SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['kafka-1:9092', 'kafka-2:9092'] } },
  Topics: ['new-orders'],
  StartingPosition: 'TRIM_HORIZON',
} satisfies Draft;
const rabbit = {
  FunctionName: 'orders',
  EventSourceArn: `arn:aws:mq:${region}:000000000000:broker:rabbit.local:5671`,
  Queues: ['incoming'],
} satisfies Draft;
const queue = { FunctionName: 'orders', EventSourceArn: `arn:aws:sqs:${region}:000000000000:jobs` } satisfies Draft;
const login = JSON.stringify({ username: 'swiftlet', password: 'a password' });

interface Under {
  readonly control: ControlUnderTest;
  readonly lambda: LambdaClient;
  readonly create: (draft: Draft) => ReturnType<typeof sent>;
  readonly sources: () => Promise<Record<string, Record<string, unknown>>>;
}
const sent = (lambda: LambdaClient, draft: Draft) => lambda.send(new CreateEventSourceMappingCommand(draft));

async function open(t: TestContext): Promise<Under> {
  const control = await startUnderTest(t);
  control.roles.subscribe();
  const digest = await control.bundle();
  for (const name of ['orders', 'other']) await control.put(`/v1/functions/${name}`, { digest, config: {} });
  await control.put('/v1/secrets/broker-login', { value: login });
  const lambda = await clientOf(t, control, { role: 'developer' });
  return {
    control,
    lambda,
    create: (draft) => sent(lambda, draft),
    async sources() {
      const { json } = await control.call('/v1/functions/orders');
      return (json as { serving: { config: { sources: Record<string, Record<string, unknown>> } } }).serving.config.sources;
    },
  };
}

test('a mapping is a source of its function, says how that does, and goes with it', async (t) => {
  const { control, lambda, create, sources } = await open(t);
  const Filters = [{ Pattern: '{"value":{"kind":["order"]}}' }];
  const made = await create({
    ...kafka,
    FunctionName: `arn:aws:lambda:${region}:000000000000:function:orders`,
    FilterCriteria: { Filters },
    Tags: { team: 'shop' },
  });
  const { UUID = '', State, BatchSize, FunctionArn, EventSourceMappingArn = '' } = made;
  assert.deepEqual([State, BatchSize, FunctionArn], ['Creating', 100, `arn:aws:lambda:${region}:000000000000:function:orders`]);
  assert.deepEqual(
    [made.FilterCriteria?.Filters, made.Topics, made.SelfManagedKafkaEventSourceConfig?.ConsumerGroupId],
    [Filters, ['new-orders'], UUID],
  );
  const name = `mapping-${UUID.slice(0, 8)}`;
  assert.deepEqual((await sources())[name], {
    origin: { kind: 'kafka', servers: ['kafka-1:9092', 'kafka-2:9092'], topic: 'new-orders', tls: false, mechanism: 'PLAIN' },
    batchSize: 100,
    batchWindowMs: 500,
    concurrency: 1,
    order: 'partition',
    start: 'earliest',
    filters: [{ value: { kind: ['order'] } }],
    attempts: 3,
    backoffMs: 1_000,
    consumer: UUID,
    enabled: true,
  });

  const get = () => lambda.send(new GetEventSourceMappingCommand({ UUID }));
  const view = { function: 'orders', name, kind: 'kafka', state: 'running', held: 0, working: 0 };
  const asEventsSay = async (more: object) => {
    control.roles.events = { sources: { sources: [{ ...view, ...more }] } };
    const { State: state, LastProcessingResult: result } = await get();
    return [state, result];
  };
  assert.deepEqual(await asEventsSay({}), ['Enabled', 'OK']);
  const error = { code: 'SourceUnreachable', message: 'Kafka cannot be reached' };
  assert.deepEqual(await asEventsSay({ state: 'broken', error }), ['Enabled', 'PROBLEM: Kafka cannot be reached']);
  assert.deepEqual(await asEventsSay({ state: 'paused' }), ['Disabled', undefined]);

  assert.deepEqual(await refusal(create(kafka)), ['ResourceConflictException', 409]);
  const update = (more: object) => lambda.send(new UpdateEventSourceMappingCommand({ UUID, ...more }));
  assert.equal((await update({ BatchSize: 7, MaximumRetryAttempts: 4, FilterCriteria: {} })).State, 'Updating');
  const changed = (await sources())[name];
  assert.deepEqual([changed?.['batchSize'], changed?.['attempts'], changed?.['filters']], [7, 5, []]);
  assert.equal((await update({ Enabled: false })).State, 'Disabling');
  assert.equal((await get()).State, 'Disabled');
  assert.equal((await sources())[name]?.['enabled'], false);
  assert.deepEqual(await refusal(update({ FunctionName: 'other' })), ['InvalidParameterValueException', 400]);
  assert.equal((await update({ Enabled: true })).State, 'Enabling');

  await lambda.send(new TagResourceCommand({ Resource: EventSourceMappingArn, Tags: { stage: 'test' } }));
  assert.deepEqual((await lambda.send(new ListTagsCommand({ Resource: EventSourceMappingArn }))).Tags, { team: 'shop', stage: 'test' });

  await control.put('/v1/functions/orders', { digest: await control.bundle(), config: { memoryMiB: 256 } });
  assert.match((await get()).StateTransitionReason ?? '', /deploy/);
  await update({});
  assert.ok(name in (await sources()));

  assert.equal((await lambda.send(new DeleteEventSourceMappingCommand({ UUID }))).State, 'Deleting');
  assert.deepEqual(await sources(), {});
  assert.deepEqual(await refusal(get()), ['ResourceNotFoundException', 404]);
  assert.deepEqual(await refusal(update({})), ['ResourceNotFoundException', 404]);
});

test('a login is a secret of the platform, and goes over TLS unless somebody says otherwise', async (t) => {
  const { control, create, sources } = await open(t);
  const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:broker-login';
  await create({ ...kafka, SourceAccessConfigurations: [{ Type: 'SASL_SCRAM_512_AUTH', URI: arn }] });
  await create({
    ...rabbit,
    SourceAccessConfigurations: [
      { Type: 'BASIC_AUTH', URI: 'broker-login' },
      { Type: 'VIRTUAL_HOST', URI: 'shop' },
    ],
  });
  const origins = Object.values(await sources()).map(({ origin }) => origin as Record<string, string>);
  const [ofKafka, ofRabbit] = [origins.find(({ kind }) => kind === 'kafka'), origins.find(({ kind }) => kind === 'rabbitmq')];
  assert.deepEqual(
    [ofKafka?.['tls'], ofKafka?.['mechanism'], ofRabbit?.['address']],
    [true, 'SCRAM-SHA-512', 'amqps://rabbit.local:5671/shop'],
  );
  const { json } = await control.call('/v1/functions/orders');
  const { secrets } = (json as { serving: { config: { secrets: object } } }).serving.config;
  assert.deepEqual(Object.keys(secrets).sort(), [ofKafka?.['loginVariable'], ofRabbit?.['loginVariable']].sort());
  const missing = { ...kafka, Topics: ['bb'], SourceAccessConfigurations: [{ Type: 'BASIC_AUTH' as const, URI: 'nowhere' }] };
  assert.deepEqual(await refusal(create(missing)), ['InvalidParameterValueException', 400]);
});

test('what nothing here can serve is kept, and says so', async (t) => {
  const { lambda, create, sources } = await open(t);
  const { UUID } = await create({ ...queue, BatchSize: 5, ScalingConfig: { MaximumConcurrency: 3 } });
  const kept = await lambda.send(new GetEventSourceMappingCommand({ UUID }));
  assert.deepEqual([kept.State, kept.BatchSize, kept.ScalingConfig?.MaximumConcurrency], ['Disabled', 5, 3]);
  assert.match(kept.StateTransitionReason ?? '', /no source of the service "sqs"/);
  assert.deepEqual(await sources(), {});
  const amazonMq = await create({ ...rabbit, EventSourceArn: `arn:aws:mq:${region}:000000000000:broker:shop:b-1234` });
  assert.match(amazonMq.StateTransitionReason ?? '', /broker:<host>:<port>/);
});

test('they are listed in pages, by function and by source, and to those alone who may see the function', async (t) => {
  const { control, lambda, create } = await open(t);
  const made = await Promise.all(['a', 'b', 'c'].map((name) => create({ ...queue, EventSourceArn: `${queue.EventSourceArn}-${name}` })));
  await create({ ...queue, FunctionName: 'other' });
  const list = (input: object) => lambda.send(new ListEventSourceMappingsCommand(input));
  const first = await list({ FunctionName: 'orders', MaxItems: 2 });
  const second = await list({ FunctionName: 'orders', MaxItems: 2, Marker: first.NextMarker });
  const listed = [first, second].flatMap(({ EventSourceMappings = [] }) => EventSourceMappings.map(({ UUID }) => UUID));
  assert.deepEqual([listed, second.NextMarker], [made.map(({ UUID }) => UUID).sort(), undefined]);
  assert.equal((await list({ EventSourceArn: queue.EventSourceArn })).EventSourceMappings?.length, 1);
  assert.equal((await list({})).EventSourceMappings?.length, 4);
  assert.deepEqual(await refusal(list({ FunctionName: 'nobody' })), ['ResourceNotFoundException', 404]);

  const narrow = await clientOf(t, control, { role: 'developer', functions: ['other'] });
  assert.equal((await narrow.send(new ListEventSourceMappingsCommand({}))).EventSourceMappings?.length, 1);
  const UUID = made[0]?.UUID;
  assert.deepEqual(await refusal(narrow.send(new GetEventSourceMappingCommand({ UUID }))), ['ResourceNotFoundException', 404]);
  const reads = await clientOf(t, control, { role: 'viewer' });
  assert.deepEqual(await refusal(reads.send(new DeleteEventSourceMappingCommand({ UUID }))), ['AccessDeniedException', 403]);
});

test('what is not as AWS takes it is refused', async (t) => {
  const { create } = await open(t);
  const cases: readonly (readonly [what: string, draft: object, name: string])[] = [
    ['a batch of none', { ...kafka, BatchSize: 0 }, 'ValidationException'],
    ['a batch of too many', { ...kafka, BatchSize: 10_001 }, 'ValidationException'],
    ['a long wait', { ...kafka, MaximumBatchingWindowInSeconds: 301 }, 'ValidationException'],
    ['two topics', { ...kafka, Topics: ['a1', 'b1'] }, 'ValidationException'],
    ['an ARN that is none', { FunctionName: 'orders', EventSourceArn: 'queue' }, 'ValidationException'],
    ['a position that is none', { ...kafka, StartingPosition: 'MIDDLE' }, 'ValidationException'],
    ['no source', { FunctionName: 'orders' }, 'InvalidParameterValueException'],
    ['two sources', { ...kafka, ...queue }, 'InvalidParameterValueException'],
    ['no position', { ...kafka, StartingPosition: undefined }, 'InvalidParameterValueException'],
    ['a position of a queue', { ...rabbit, StartingPosition: 'LATEST' }, 'InvalidParameterValueException'],
    ['a time that is not asked for', { ...kafka, StartingPositionTimestamp: new Date(0) }, 'InvalidParameterValueException'],
    ['no topic', { ...kafka, Topics: undefined }, 'InvalidParameterValueException'],
    ['a pattern that is no JSON', { ...kafka, FilterCriteria: { Filters: [{ Pattern: '{' }] } }, 'InvalidParameterValueException'],
    [
      'a pattern that means nothing',
      { ...kafka, FilterCriteria: { Filters: [{ Pattern: '{"value":[{"prefx":"a"}]}' }] } },
      'InvalidParameterValueException',
    ],
    ['tumbling windows', { ...kafka, TumblingWindowInSeconds: 5 }, 'InvalidParameterValueException'],
    ['a network', { ...kafka, SourceAccessConfigurations: [{ Type: 'VPC_SUBNET', URI: 'subnet:x' }] }, 'InvalidParameterValueException'],
    ['a version', { ...kafka, FunctionName: 'orders:1' }, 'InvalidParameterValueException'],
    ['no such function', { ...kafka, FunctionName: 'nobody' }, 'ResourceNotFoundException'],
  ];
  for (const [what, draft, name] of cases)
    assert.deepEqual(await refusal(create(draft as Draft)), [name, name === 'ResourceNotFoundException' ? 404 : 400], what);
});
