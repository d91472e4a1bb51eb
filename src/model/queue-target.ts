/** A queue that something is sent to. */
import { z } from 'zod';
import { jetStreamQueueSchema, natsQueueSchema } from './sources/nats.ts';
import { rabbitmqQueueSchema } from './sources/rabbitmq.ts';
import { redisQueueSchema } from './sources/redis.ts';

/** By its kind; each kind's settings stand in a file of its own in sources/. */
export const queueTargetSchema = z.discriminatedUnion('kind', [
  natsQueueSchema,
  jetStreamQueueSchema,
  rabbitmqQueueSchema,
  redisQueueSchema,
]);
export type QueueTarget = z.output<typeof queueTargetSchema>;
export type QueueKindName = QueueTarget['kind'];
export const queueKinds: readonly QueueKindName[] = queueTargetSchema.options.map(({ shape }) => shape.kind.value);

/** In words: kind and where to. */
export function queueText(target: QueueTarget): string {
  switch (target.kind) {
    case 'nats':
    case 'jetstream':
      return `${target.kind} ${target.subject} at ${target.servers.join(', ')}`;
    case 'rabbitmq':
      return `rabbitmq ${target.queue} at ${target.address}`;
    case 'redis':
      return `redis ${target.stream} at ${target.address}`;
  }
}
