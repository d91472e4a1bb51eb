/** How a Redis server is reached, and which of its streams is consumed or sent to. */
import { z } from 'zod';
import { addressSchema, variableSchema } from './connection.ts';

const connection = {
  address: addressSchema(/^rediss?:$/, 'a Redis server’s address is like redis://redis:6379, or rediss://redis:6379/1 with TLS').describe(
    'The server, and the number of its database',
  ),
  user: z.string().min(1).max(255).optional().describe('Who Swiftlet is there; default the user that Redis calls "default"'),
  passwordVariable: variableSchema.optional().describe('The variable in "secrets" or "environment" that has the password'),
};

export const redisSourceSchema = z.strictObject({
  kind: z.literal('redis'),
  ...connection,
  stream: z.string().min(1).max(255).describe('The stream; it is made when it does not exist'),
  field: z.string().min(1).max(255).default('data').describe('The field of an entry that is the message'),
});
export type RedisSource = z.output<typeof redisSourceSchema>;

/** A stream as a destination. */
export const redisQueueSchema = z.strictObject({
  kind: z.literal('redis'),
  ...connection,
  stream: z.string().min(1).max(255).describe('The stream; it is made when it does not exist'),
});
export type RedisQueue = z.output<typeof redisQueueSchema>;

export type RedisConnectionSettings = Pick<RedisSource, 'address' | 'user' | 'passwordVariable'>;
