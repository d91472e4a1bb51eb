/** What a mapping of Lambda's API is here: a source of its function, or one that nothing here can serve. Pure. */
import { wrong } from '../../lambda/lambda-error.ts';
import * as limits from '../../model/limits.ts';
import { nameSchema } from '../../model/names.ts';
import { type SourceConfig, sourceSchema } from '../../model/source.ts';
import type { MappingFields, SourceAccess } from './mapping-fields.ts';

export type MappedSource =
  | {
      readonly kind: 'served';
      readonly source: SourceConfig;
      /** The secret that has the login, under the variable that the source names. */
      readonly login: string | undefined;
    }
  /** It is kept and described; nothing is delivered. */
  | { readonly kind: 'unserved'; readonly reason: string };

export interface MappingNames {
  /** By which Kafka knows its consumer, unless it says so itself. */
  readonly uuid: string;
  /** What is to have the login. */
  readonly loginVariable: string;
}

const kafkaLogins = { BASIC_AUTH: 'PLAIN', SASL_SCRAM_256_AUTH: 'SCRAM-SHA-256', SASL_SCRAM_512_AUTH: 'SCRAM-SHA-512' } as const;
/** As Lambda waits for those that are not queues of SQS. */
const usual = { batchSize: 100, windowSeconds: 0.5 } as const;
const endpointPattern = /^(?:(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL):\/\/)?([\w.-]+:\d{1,5})$/;
/** Our convention: a broker's name and id are its host and its port. */
const brokerPattern = /^arn:aws[a-zA-Z0-9-]*:mq:[^:]*:[^:]*:broker:([\w.-]+):(\d{1,5})$/;
const securePort = 5_671;

/** @throws LambdaError InvalidParameterValueException */
export function mappedSource(fields: MappingFields, names: MappingNames): MappedSource {
  const { EventSourceArn: arn, SelfManagedEventSource: own } = fields;
  if ((arn === undefined) === (own === undefined)) throw wrong('Provide either EventSourceArn or SelfManagedEventSource, and not both.');
  demandOneOf(fields);
  if (arn === undefined) return kafka(fields, names);
  const service = arn.split(':')[2] ?? '';
  const broker = brokerPattern.exec(arn);
  if (service === 'mq' && broker !== null) return rabbitmq(fields, names, broker[1] ?? '', Number(broker[2]));
  return { kind: 'unserved', reason: unservedReason(service) };
}

function unservedReason(service: string): string {
  if (service === 'mq')
    return 'Swiftlet does not know where this broker is: name it arn:aws:mq:<region>:<account>:broker:<host>:<port>, of RabbitMQ.';
  if (service === 'kafka') return 'Swiftlet does not know where this cluster is: name its servers in SelfManagedEventSource.';
  return `Swiftlet has no source of the service "${service}": nothing is delivered. What it has is in docs/sources.md.`;
}

function kafka(fields: MappingFields, { uuid, loginVariable }: MappingNames): MappedSource {
  const [topic] = fields.Topics ?? [];
  if (topic === undefined) throw wrong('Topics: a self-managed Kafka wants the name of one topic.');
  if (fields.Queues !== undefined) throw wrong('Queues: Kafka has topics.');
  demandServable(fields);
  const endpoints = (fields.SelfManagedEventSource?.Endpoints?.KAFKA_BOOTSTRAP_SERVERS ?? []).map((endpoint) => {
    const [, protocol, server] = endpointPattern.exec(endpoint) ?? [];
    if (server === undefined) throw wrong(`KAFKA_BOOTSTRAP_SERVERS: a server is <host>:<port>, not ${endpoint}`);
    return { protocol, server };
  });
  if (endpoints.length === 0) throw wrong('SelfManagedEventSource: name servers in Endpoints.KAFKA_BOOTSTRAP_SERVERS.');
  const access = accessOf(fields, ['BASIC_AUTH', 'SASL_SCRAM_256_AUTH', 'SASL_SCRAM_512_AUTH']);
  const login = access.find(({ Type }) => Type in kafkaLogins);
  // As on AWS a login goes over TLS, unless somebody says otherwise.
  const protocol = endpoints[0]?.protocol ?? (login === undefined ? 'PLAINTEXT' : 'SASL_SSL');
  const origin = {
    kind: 'kafka',
    servers: endpoints.map(({ server }) => server),
    topic,
    tls: protocol.endsWith('SSL'),
    ...(login === undefined ? {} : { mechanism: kafkaLogins[login.Type as keyof typeof kafkaLogins], loginVariable }),
  };
  const consumer = fields.SelfManagedKafkaEventSourceConfig?.ConsumerGroupId ?? uuid;
  return served(fields, { origin, consumer, order: 'partition', start: startOf(fields) }, login);
}

function rabbitmq(fields: MappingFields, { loginVariable }: MappingNames, host: string, port: number): MappedSource {
  const [queue] = fields.Queues ?? [];
  if (queue === undefined) throw wrong('Queues: a broker wants the name of one queue.');
  if (fields.Topics !== undefined) throw wrong('Topics: a broker has queues.');
  if (fields.StartingPosition !== undefined) throw wrong('StartingPosition: a queue has no positions.');
  demandServable(fields);
  const access = accessOf(fields, ['BASIC_AUTH', 'VIRTUAL_HOST']);
  const login = access.find(({ Type }) => Type === 'BASIC_AUTH');
  const virtualHost = access.find(({ Type }) => Type === 'VIRTUAL_HOST')?.URI ?? '/';
  const scheme = port === securePort ? 'amqps' : 'amqp';
  const origin = {
    kind: 'rabbitmq',
    address: `${scheme}://${host}:${port}${virtualHost === '/' ? '' : `/${encodeURIComponent(virtualHost)}`}`,
    queue,
    ...(login === undefined ? {} : { loginVariable }),
  };
  return served(fields, { origin }, login);
}

function served(fields: MappingFields, own: object, login: SourceAccess | undefined): MappedSource {
  const {
    MaximumRetryAttempts: retries,
    BatchSize = usual.batchSize,
    MaximumBatchingWindowInSeconds: window = usual.windowSeconds,
  } = fields;
  const parsed = sourceSchema.safeParse({
    ...own,
    batchSize: BatchSize,
    batchWindowMs: window * 1_000,
    filters: (fields.FilterCriteria?.Filters ?? []).map(({ Pattern }) => patternOf(Pattern)),
    ...(retries === undefined ? {} : { attempts: retries === -1 ? limits.sourceAttempts.max : retries + 1 }),
    enabled: fields.Enabled ?? true,
  });
  if (parsed.success) return { kind: 'served', source: parsed.data, login: login === undefined ? undefined : secretNameOf(login) };
  const [issue] = parsed.error.issues;
  throw wrong(`${wordOf(issue?.path[0])}: ${issue?.message ?? 'is not taken'}`, parsed.error);
}

/** Which of what was sent a fault of a source is about. */
const wordOf = (key: PropertyKey | undefined): string =>
  ({ attempts: 'MaximumRetryAttempts', filters: 'FilterCriteria', consumer: 'ConsumerGroupId', batchSize: 'BatchSize' })[String(key)] ??
  'SelfManagedEventSource';

function startOf({ StartingPosition: position, StartingPositionTimestamp: seconds }: MappingFields): string {
  if (position === undefined) throw wrong('StartingPosition: it is mandatory for Kafka.');
  if ((position === 'AT_TIMESTAMP') !== (seconds !== undefined))
    throw wrong('StartingPositionTimestamp goes with AT_TIMESTAMP, and only with it.');
  if (seconds !== undefined) return new Date(seconds * 1_000).toISOString();
  return position === 'LATEST' ? 'latest' : 'earliest';
}

function patternOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw wrong('Invalid filter pattern definition: a pattern is JSON.', error);
  }
}

/** Only what there is here is used; anything else would be dropped silently. */
function accessOf({ SourceAccessConfigurations: all = [] }: MappingFields, known: readonly SourceAccess['Type'][]): SourceAccess[] {
  const other = all.find(({ Type }) => !known.includes(Type));
  if (other !== undefined) throw wrong(`SourceAccessConfigurations: ${other.Type} is not supported here for this source; leave it out.`);
  return all;
}

/** A secret of this platform, by its name or by an ARN that ends with it. */
function secretNameOf({ Type, URI }: SourceAccess): string {
  const name = URI.replace(/^arn:aws[a-zA-Z0-9-]*:secretsmanager:[^:]*:[^:]*:secret:/, '');
  if (nameSchema.safeParse(name).success) return name;
  throw wrong(`SourceAccessConfigurations: ${Type} names a secret of this platform, or an ARN that ends with its name, not ${URI}`);
}

/** What all kinds have to have in common, wherever they are served. */
function demandOneOf({ EventSourceArn: arn = '', StartingPosition: position }: MappingFields): void {
  if (/^[^:]*:[^:]*:(?:kinesis|dynamodb):/.test(arn) && position === undefined)
    throw wrong('StartingPosition: it is mandatory for streams.');
}

/** @throws LambdaError InvalidParameterValueException for what would be dropped silently otherwise */
function demandServable(fields: MappingFields): void {
  const { DestinationConfig: to, MetricsConfig: metrics } = fields;
  const unsupported = {
    ParallelizationFactor: fields.ParallelizationFactor !== undefined,
    TumblingWindowInSeconds: (fields.TumblingWindowInSeconds ?? 0) > 0,
    MaximumRecordAgeInSeconds: (fields.MaximumRecordAgeInSeconds ?? -1) !== -1,
    ScalingConfig: fields.ScalingConfig?.MaximumConcurrency !== undefined,
    ProvisionedPollerConfig: Object.keys(fields.ProvisionedPollerConfig ?? {}).length > 0,
    DestinationConfig: [to?.OnFailure, to?.OnSuccess].some((one) => (one?.Destination ?? '') !== ''),
    DocumentDBEventSourceConfig: fields.DocumentDBEventSourceConfig !== undefined,
    AmazonManagedKafkaEventSourceConfig: fields.AmazonManagedKafkaEventSourceConfig !== undefined,
    SchemaRegistryConfig: fields.SelfManagedKafkaEventSourceConfig?.SchemaRegistryConfig !== undefined,
    KMSKeyArn: (fields.KMSKeyArn ?? '') !== '',
    MetricsConfig: (metrics?.Metrics ?? []).length > 0,
    LoggingConfig: fields.LoggingConfig !== undefined,
  };
  const [name] = Object.entries(unsupported).find(([, is]) => is) ?? [];
  if (name !== undefined) throw wrong(`${name} is not supported here for this source; leave it out.`);
}
