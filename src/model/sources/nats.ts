/** How a NATS server is reached, and what is consumed there or sent to. */
import { z } from 'zod';
import { maxServers } from '../limits.ts';
import { addressSchema, variableSchema } from './connection.ts';

const natsAddress = addressSchema(/^(nats|tls):$/, 'a NATS server’s address is like nats://broker:4222, or tls://broker:4222');

/** Subjects have no spaces; `*` stands for one part, `>` for all that follow. */
const subjectSchema = z
  .string('it is a subject: orders.new, orders.*, orders.>')
  .max(255)
  .regex(/^[^\s]+$/, 'a subject has no spaces: orders.new, orders.*, orders.>');
const plainSubject = subjectSchema.regex(/^[^*>]+$/, 'what is sent goes to one subject: it has no * and no >');
const nameOfStream = z
  .string('it is the name of a stream')
  .max(255)
  .regex(/^[^\s.*>/\\]+$/, 'a stream’s name has no spaces, dots, *, > or slashes');

const connection = {
  servers: z
    .array(natsAddress, 'it is a list of addresses: [nats://broker:4222]')
    .min(1)
    .max(maxServers)
    .describe('Its servers; the first that answers is used'),
  user: z.string().max(255).optional().describe('Who Swiftlet is there'),
  passwordVariable: variableSchema.optional().describe('The variable in "secrets" or "environment" that has the password'),
  tokenVariable: variableSchema
    .optional()
    .describe('The variable in "secrets" or "environment" that has a token, instead of user and password'),
  credentialsVariable: variableSchema
    .optional()
    .describe(
      'The variable in "secrets" or "environment" that has the text of a credentials file (JWT and key), instead of user and password',
    ),
};

/** Messages on a subject. NATS keeps none: those that nobody takes are gone. */
export const natsSourceSchema = z.strictObject({
  kind: z.literal('nats'),
  ...connection,
  subject: subjectSchema.describe('What is consumed: orders.new, orders.*, orders.>'),
});
export type NatsSource = z.output<typeof natsSourceSchema>;

/** Messages of a stream, which keeps them. */
export const jetStreamSourceSchema = z.strictObject({
  kind: z.literal('jetstream'),
  ...connection,
  stream: nameOfStream.describe('The stream; it has to exist'),
  subjects: z.array(subjectSchema).min(1).max(64).optional().describe('Only those of these subjects; default all of the stream'),
});
export type JetStreamSource = z.output<typeof jetStreamSourceSchema>;

/** A subject as a destination; nobody may be there to take it. */
export const natsQueueSchema = z.strictObject({ kind: z.literal('nats'), ...connection, subject: plainSubject });
export type NatsQueue = z.output<typeof natsQueueSchema>;

/** A subject that a stream keeps, as a destination. */
export const jetStreamQueueSchema = z.strictObject({ kind: z.literal('jetstream'), ...connection, subject: plainSubject });
export type JetStreamQueue = z.output<typeof jetStreamQueueSchema>;

export type NatsConnectionSettings = Pick<NatsSource, 'servers' | 'user' | 'passwordVariable' | 'tokenVariable' | 'credentialsVariable'>;
