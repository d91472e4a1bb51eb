/** What Lambda's API takes for an event source mapping, with its limits. */
import { z } from 'zod';
import { tagsSchema } from './tags-schema.ts';

const maxBatch = 10_000;
const maxWindowSeconds = 300;
const weekSeconds = 604_800;
const wordPattern = /^[a-zA-Z0-9-/*:_+=.@]*$/;

const accessSchema = z.strictObject({
  Type: z.enum([
    'BASIC_AUTH',
    'VPC_SUBNET',
    'VPC_SECURITY_GROUP',
    'SASL_SCRAM_512_AUTH',
    'SASL_SCRAM_256_AUTH',
    'VIRTUAL_HOST',
    'CLIENT_CERTIFICATE_TLS_AUTH',
    'SERVER_ROOT_CA_CERTIFICATE',
  ]),
  URI: z.string().min(1).max(200).regex(wordPattern),
});
export type SourceAccess = z.output<typeof accessSchema>;

const destinationSchema = z.strictObject({ Destination: z.string().max(350).optional() });
const kafkaConfigSchema = z.strictObject({
  ConsumerGroupId: z.string().min(1).max(200).regex(wordPattern).optional(),
  SchemaRegistryConfig: z.unknown().optional(),
});

/** What a mapping may be changed in. */
const changeable = {
  Enabled: z.boolean().optional(),
  BatchSize: z.int().min(1).max(maxBatch).optional(),
  MaximumBatchingWindowInSeconds: z.int().min(0).max(maxWindowSeconds).optional(),
  FilterCriteria: z.strictObject({ Filters: z.array(z.strictObject({ Pattern: z.string().max(4_096) })).optional() }).optional(),
  ParallelizationFactor: z.int().min(1).max(10).optional(),
  DestinationConfig: z.strictObject({ OnSuccess: destinationSchema.optional(), OnFailure: destinationSchema.optional() }).optional(),
  MaximumRecordAgeInSeconds: z.int().min(-1).max(weekSeconds).optional(),
  BisectBatchOnFunctionError: z.boolean().optional(),
  MaximumRetryAttempts: z.int().min(-1).max(10_000).optional(),
  TumblingWindowInSeconds: z.int().min(0).max(900).optional(),
  SourceAccessConfigurations: z.array(accessSchema).max(22).optional(),
  FunctionResponseTypes: z
    .array(z.enum(['ReportBatchItemFailures']))
    .max(1)
    .optional(),
  ScalingConfig: z.strictObject({ MaximumConcurrency: z.int().min(2).max(1_000).optional() }).optional(),
  DocumentDBEventSourceConfig: z.record(z.string(), z.string()).optional(),
  AmazonManagedKafkaEventSourceConfig: kafkaConfigSchema.optional(),
  SelfManagedKafkaEventSourceConfig: kafkaConfigSchema.optional(),
  KMSKeyArn: z.string().max(2_048).optional(),
  MetricsConfig: z.strictObject({ Metrics: z.array(z.string()).max(3).optional() }).optional(),
  LoggingConfig: z.strictObject({ SystemLogLevel: z.string().optional() }).optional(),
  ProvisionedPollerConfig: z
    .strictObject({
      MinimumPollers: z.int().min(1).max(200).optional(),
      MaximumPollers: z.int().min(1).max(2_000).optional(),
      PollerGroupName: z.string().max(128).optional(),
    })
    .optional(),
};
/** What it is from the start, for ever. */
const fixed = {
  EventSourceArn: z
    .string()
    .max(1_024)
    .regex(/^arn:aws[a-zA-Z0-9-]*:[a-zA-Z0-9-]+:(?:[a-z]+(?:-[a-z]+)+-\d)?:(?:\d{12})?:.*$/)
    .optional(),
  SelfManagedEventSource: z
    .strictObject({
      Endpoints: z.strictObject({ KAFKA_BOOTSTRAP_SERVERS: z.array(z.string().min(1).max(300)).min(1).max(10).optional() }).optional(),
    })
    .optional(),
  Topics: z
    .array(
      z
        .string()
        .max(249)
        .regex(/^[^.][a-zA-Z0-9\-_.]+$/),
    )
    .length(1)
    .optional(),
  Queues: z.array(z.string().min(1).max(1_000)).length(1).optional(),
  StartingPosition: z.enum(['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP']).optional(),
  /** Seconds since 1970. */
  StartingPositionTimestamp: z.number().min(0).max(8.64e12).optional(),
};

const functionNameSchema = z.string().min(1).max(200);
export const createMappingSchema = z.strictObject({
  ...fixed,
  ...changeable,
  FunctionName: functionNameSchema,
  Tags: tagsSchema.optional(),
});
export const updateMappingSchema = z.strictObject({ ...changeable, FunctionName: functionNameSchema.optional() });
/** All that it was made and changed with, but whose it is. */
export const mappingFieldsSchema = z.strictObject({ ...fixed, ...changeable });
export type MappingFields = z.output<typeof mappingFieldsSchema>;
