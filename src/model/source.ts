/** Where a function's messages come from, and how they are handed to it. Sources are part of its configuration, and so of its version. */
import { z } from 'zod';
import { filterPatternSchema } from './filter-pattern.ts';
import * as limits from './limits.ts';
import { nameSchema } from './names.ts';
import { folderSourceSchema } from './sources/folder.ts';
import { kafkaSourceSchema } from './sources/kafka.ts';
import { mqttSourceSchema } from './sources/mqtt.ts';
import { jetStreamSourceSchema, natsSourceSchema } from './sources/nats.ts';
import { postgresqlNotifySourceSchema, postgresqlSourceSchema } from './sources/postgresql.ts';
import { rabbitmqSourceSchema } from './sources/rabbitmq.ts';
import { redisSourceSchema } from './sources/redis.ts';
import { s3SourceSchema } from './sources/s3.ts';

/** What is consumed, by its kind; each kind's settings stand in a file of its own in sources/. */
export const sourceOriginSchema = z.discriminatedUnion('kind', [
  natsSourceSchema,
  jetStreamSourceSchema,
  rabbitmqSourceSchema,
  redisSourceSchema,
  mqttSourceSchema,
  kafkaSourceSchema,
  postgresqlSourceSchema,
  postgresqlNotifySourceSchema,
  folderSourceSchema,
  s3SourceSchema,
]);
export type SourceOrigin = z.output<typeof sourceOriginSchema>;
export type SourceKindName = SourceOrigin['kind'];

export const sourceKinds: readonly SourceKindName[] = sourceOriginSchema.options.map(({ shape }) => shape.kind.value);

/**
 * What is in order: nothing; the messages of a partition that have the same key; those of a partition. What is in order is handed out one
 * batch at a time, and a message that fails holds up those behind it.
 */
export const sourceOrders = ['none', 'key', 'partition'] as const;
export type SourceOrder = (typeof sourceOrders)[number];

/** Kinds that keep a log with places in it, and not a queue, are in order unless something else was said. */
const logs: readonly string[] = ['kafka', 'postgresql'];
export const defaultOrder = (kind: string): SourceOrder => (logs.includes(kind) ? 'partition' : 'none');

export const startSchema = z.union(
  [z.enum(['earliest', 'latest']), z.iso.datetime({ offset: true })],
  'it is earliest, latest, or a time with its offset: 2026-03-01T09:00:00Z',
);

const between = (range: { readonly min: number; readonly max: number; readonly default: number }) =>
  z.int().min(range.min).max(range.max).default(range.default);

/** @see manifest.md and sources.md, which say what each means to users */
export const sourceSchema = z.strictObject({
  origin: sourceOriginSchema,
  /** Messages of one invocation at most. */
  batchSize: between(limits.sourceBatchSize),
  /** How long a message waits for others to come along. */
  batchWindowMs: between(limits.sourceBatchWindowMs),
  /** Batches of one partition that are being worked on at the same time; 1 in the order of partitions. */
  concurrency: between(limits.sourceConcurrency),
  order: z.enum(sourceOrders).default('none'),
  /** Where a consumer begins that the server does not know yet. */
  start: startSchema.default('earliest'),
  filters: z.array(filterPatternSchema).max(limits.maxFilters).default([]),
  /** Attempts before a message becomes a dead letter. */
  attempts: between(limits.sourceAttempts),
  /** The pause before the second attempt; each further one is twice as long. */
  backoffMs: between(limits.sourceBackoffMs),
  /** The name by which its server knows it; by default one made of the function's and the source's. */
  consumer: z
    .string()
    .regex(/^[\w-]{1,200}$/, 'a consumer’s name has letters, digits, - and _, at most 200')
    .optional(),
  enabled: z.boolean().default(true),
});
export type SourceConfig = z.output<typeof sourceSchema>;

/** Where a function's messages come from, by the sources' names. */
export const sourcesSchema = z
  .record(nameSchema, sourceSchema)
  .refine((sources) => Object.keys(sources).length <= limits.maxSources, `a function has at most ${String(limits.maxSources)} sources`)
  .superRefine((sources, context) => {
    for (const [name, { order, concurrency }] of Object.entries(sources)) {
      if (order !== 'partition' || concurrency === 1) continue;
      const message =
        'a partition whose messages are in order is worked on one batch at a time; leave it out, or set the order to key or none';
      context.addIssue({ code: 'custom', message, path: [name, 'concurrency'] });
    }
  });

/** The variables that settings name which have a secret. */
export const secretVariables = (settings: object): string[] =>
  Object.entries(settings).flatMap(([key, value]) => (key.endsWith('Variable') && typeof value === 'string' ? [value] : []));
