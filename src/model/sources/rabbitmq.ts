/** How a RabbitMQ server is reached, and which of its queues is consumed or sent to. */
import { z } from 'zod';
import { addressSchema, loginVariableSchema, variableSchema } from './connection.ts';

const settings = {
  address: addressSchema(
    /^amqps?:$/,
    'a RabbitMQ server’s address is like amqp://rabbit:5672, or amqps://rabbit/orders with TLS and a virtual host',
  ).describe('The server, and its virtual host; default "/"'),
  user: z.string().min(1).max(255).optional().describe('Who Swiftlet is there; default guest, who is let in on the same machine only'),
  passwordVariable: variableSchema.optional().describe('The variable in "secrets" or "environment" that has the password'),
  loginVariable: loginVariableSchema,
  queue: z.string().min(1).max(255).describe('The queue; it has to exist'),
};

export const rabbitmqSourceSchema = z.strictObject({ kind: z.literal('rabbitmq'), ...settings });
export type RabbitmqSource = z.output<typeof rabbitmqSourceSchema>;

/** A queue as a destination: what is sent goes to it by the default exchange. */
export const rabbitmqQueueSchema = z.strictObject({ kind: z.literal('rabbitmq'), ...settings });
export type RabbitmqQueue = z.output<typeof rabbitmqQueueSchema>;
