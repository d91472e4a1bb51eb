/** A source in `swiftlet.yaml`: its kind is the key that has its settings. */
import { z } from 'zod';
import { filterPatternSchema } from '../model/filter-pattern.ts';
import * as limits from '../model/limits.ts';
import { sourceKinds, type SourceKindName, sourceOrders, sourceSchema, startSchema } from '../model/source.ts';
import { folderSourceSchema } from '../model/sources/folder.ts';
import { kafkaSourceSchema } from '../model/sources/kafka.ts';
import { mqttSourceSchema } from '../model/sources/mqtt.ts';
import { jetStreamSourceSchema, natsSourceSchema } from '../model/sources/nats.ts';
import { postgresqlNotifySourceSchema, postgresqlSourceSchema } from '../model/sources/postgresql.ts';
import { rabbitmqSourceSchema } from '../model/sources/rabbitmq.ts';
import { redisSourceSchema } from '../model/sources/redis.ts';
import { s3SourceSchema } from '../model/sources/s3.ts';
import { countSchema, durationSchema } from './quantities.ts';

/** The settings of each kind. */
const origins = {
  nats: natsSourceSchema.omit({ kind: true }).optional().describe('A subject of NATS, which keeps no messages'),
  jetstream: jetStreamSourceSchema.omit({ kind: true }).optional().describe('A stream of NATS JetStream'),
  rabbitmq: rabbitmqSourceSchema.omit({ kind: true }).optional().describe('A queue of RabbitMQ'),
  redis: redisSourceSchema.omit({ kind: true }).optional().describe('A stream of Redis'),
  mqtt: mqttSourceSchema.omit({ kind: true }).optional().describe('A topic of an MQTT broker'),
  kafka: kafkaSourceSchema.omit({ kind: true }).optional().describe('A topic of Kafka'),
  postgresql: postgresqlSourceSchema.omit({ kind: true }).optional().describe('Changes of rows in PostgreSQL'),
  'postgresql-notify': postgresqlNotifySourceSchema
    .omit({ kind: true })
    .optional()
    .describe('Notifications of PostgreSQL, which keeps none'),
  folder: folderSourceSchema.omit({ kind: true }).optional().describe('Files of a folder of the host'),
  s3: s3SourceSchema.omit({ kind: true }).optional().describe('Objects of an S3-compatible bucket'),
} satisfies Record<SourceKindName, z.ZodType>;

const kindText = sourceKinds.join(', ');

export const sourceEntrySchema = z
  .strictObject(
    {
      ...origins,
      batch: z
        .strictObject(
          {
            size: countSchema(limits.sourceBatchSize).optional().describe('Messages of one invocation at most; default 10'),
            window: durationSchema(limits.sourceBatchWindowMs)
              .optional()
              .describe('How long a message waits for others to come along; default 0'),
          },
          'it has the keys size and window',
        )
        .optional()
        .describe('How many messages go together'),
      concurrency: countSchema(limits.sourceConcurrency)
        .optional()
        .describe('Batches of one partition that are worked on at the same time; default 1'),
      order: z
        .enum(sourceOrders, `it is ${sourceOrders.join(', ')}`)
        .optional()
        .describe('What is in order: none, the messages of a key, those of a partition; default none, of Kafka and PostgreSQL partition'),
      start: startSchema.optional().describe('Where it begins when the server does not know it yet; default earliest'),
      filters: z
        .array(filterPatternSchema, 'it is a list of filter patterns')
        .max(limits.maxFilters)
        .optional()
        .describe('Only messages that one of these patterns accepts, as in Lambda; the others count as done'),
      attempts: countSchema(limits.sourceAttempts).optional().describe('Attempts before a message becomes a dead letter; default 3'),
      backoff: durationSchema(limits.sourceBackoffMs)
        .optional()
        .describe('The pause before the second attempt, doubled before each further one; default 1 s'),
      consumer: sourceSchema.shape.consumer.describe('The name by which its server knows it; default one made of the names here'),
      enabled: z.boolean().optional().describe('Whether it is consumed; default true'),
    },
    `it has one of ${kindText}, and may have batch, concurrency, order, start, filters, attempts, backoff, consumer and enabled`,
  )
  .refine((entry) => kindsOf(entry).length === 1, `it has one of ${kindText}`);
export type SourceEntry = z.output<typeof sourceEntrySchema>;

/** Which kinds an entry has settings of; one, when it is valid. */
export const kindsOf = (entry: object): SourceKindName[] =>
  sourceKinds.filter((kind) => (entry as Readonly<Record<string, unknown>>)[kind] !== undefined);

/** The keys that stand below one of a source's. */
export const keysOfSource = (key: string): string[] => {
  const schema =
    key === 'batch'
      ? sourceEntrySchema.shape.batch.unwrap()
      : Object.entries(origins)
          .find(([kind]) => kind === key)?.[1]
          .unwrap();
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
};
