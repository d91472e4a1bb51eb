/** A queue as a destination in `swiftlet.yaml`: its kind is the key that has its settings. */
import { z } from 'zod';
import { queueKinds, type QueueKindName, type QueueTarget, queueTargetSchema } from '../model/queue-target.ts';
import { jetStreamQueueSchema, natsQueueSchema } from '../model/sources/nats.ts';
import { rabbitmqQueueSchema } from '../model/sources/rabbitmq.ts';
import { redisQueueSchema } from '../model/sources/redis.ts';

/** The settings of each kind. */
const targets = {
  nats: natsQueueSchema.omit({ kind: true }).optional().describe('A subject of NATS'),
  jetstream: jetStreamQueueSchema.omit({ kind: true }).optional().describe('A subject that a stream of NATS JetStream keeps'),
  rabbitmq: rabbitmqQueueSchema.omit({ kind: true }).optional().describe('A queue of RabbitMQ'),
  redis: redisQueueSchema.omit({ kind: true }).optional().describe('A stream of Redis'),
} satisfies Record<QueueKindName, z.ZodType>;

const rule = `it has the settings of one of ${queueKinds.join(', ')}`;

export const queueEntrySchema = z.strictObject(targets, rule).refine((entry) => kindsOf(entry).length === 1, rule);
export type QueueEntry = z.output<typeof queueEntrySchema>;

const kindsOf = (entry: Partial<Record<QueueKindName, unknown>>): QueueKindName[] => queueKinds.filter((kind) => entry[kind] !== undefined);

/** @param entry valid, as its schema says */
export function planQueue(entry: QueueEntry): QueueTarget {
  const [kind = 'nats'] = kindsOf(entry);
  return queueTargetSchema.parse({ kind, ...entry[kind] });
}
