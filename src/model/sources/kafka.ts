/** How a Kafka cluster is reached, and which of its topics is consumed. */
import { z } from 'zod';
import { maxServers } from '../limits.ts';
import { loginVariableSchema, variableSchema } from './connection.ts';

export const kafkaSourceSchema = z.strictObject({
  kind: z.literal('kafka'),
  servers: z
    .array(z.string().regex(/^(?:[\w.-]+|\[[\da-fA-F:]+\]):\d{1,5}$/, 'a Kafka server is a host and a port: kafka-1:9092'))
    .min(1)
    .max(maxServers)
    .describe('Some of its servers; they tell of the others'),
  topic: z
    .string()
    .max(249)
    .regex(/^[\w.-]+$/, 'a topic’s name has letters, digits, dots, - and _')
    .describe('The topic; it has to exist'),
  tls: z.boolean().default(false).describe('Whether connections are encrypted; the servers’ certificates have to be known on this machine'),
  mechanism: z.enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']).default('PLAIN').describe('How user and password are told'),
  user: z.string().min(1).max(255).optional().describe('Who Swiftlet is there'),
  passwordVariable: variableSchema.optional().describe('The variable in "secrets" or "environment" that has the password'),
  loginVariable: loginVariableSchema,
});
export type KafkaSource = z.output<typeof kafkaSourceSchema>;
