/** How a PostgreSQL server is reached, and what of it is consumed: the changes of tables, or notifications. */
import { z } from 'zod';
import { addressSchema, variableSchema } from './connection.ts';

const connection = {
  address: addressSchema(/^postgres(ql)?:$/, 'a PostgreSQL server’s address is like postgres://db:5432/shop').describe(
    'The server, and the database',
  ),
  user: z.string().min(1).max(63).describe('Who Swiftlet is there'),
  passwordVariable: variableSchema.optional().describe('The variable in "secrets" or "environment" that has the password'),
  tls: z
    .enum(['off', 'on', 'unverified'])
    .default('off')
    .describe('Whether the connection is encrypted: on also wants a certificate of the server that is known on this machine'),
};
const identifier = (what: string) => z.string().min(1).max(63, `${what} has at most 63 characters`);

/** Rows that are inserted, updated and deleted, by logical replication. */
export const postgresqlSourceSchema = z.strictObject({
  kind: z.literal('postgresql'),
  ...connection,
  publication: identifier('a publication’s name').describe('The publication that says which tables are meant; it has to exist'),
});
export type PostgresqlSource = z.output<typeof postgresqlSourceSchema>;

/** What NOTIFY says. PostgreSQL keeps none: those that come while nobody listens are gone. */
export const postgresqlNotifySourceSchema = z.strictObject({
  kind: z.literal('postgresql-notify'),
  ...connection,
  channels: z.array(identifier('a channel’s name')).min(1).max(64).describe('The channels that are listened to'),
});
export type PostgresqlNotifySource = z.output<typeof postgresqlNotifySourceSchema>;
export type PostgresqlConnectionSettings = Pick<PostgresqlSource, 'address' | 'user' | 'passwordVariable' | 'tls'>;
