/** Connections to PostgreSQL, and what their errors mean. */
import { Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';
import { SwiftletError } from '../../model/errors.ts';
import type { PostgresqlConnectionSettings } from '../../model/sources/postgresql.ts';
import { errorCode, sourceFault } from './fault.ts';
import type { SourceMeans } from './source.ts';

const connectLimitMs = 5_000;
const answerLimitMs = 10_000;

/** @param socket what it speaks through: who has it can hold it up, or end it at once */
export function clientConfig(settings: PostgresqlConnectionSettings, means: SourceMeans, socket: Socket): ClientConfig {
  const { hostname, port, pathname } = new URL(settings.address);
  const { user, passwordVariable, tls } = settings;
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 5_432 : Number(port),
    user,
    database: decodeURIComponent(pathname.slice(1)) || user,
    ...(passwordVariable === undefined ? {} : { password: means.secret(passwordVariable) }),
    ssl: tls === 'off' ? false : { rejectUnauthorized: tls === 'on' },
    application_name: 'swiftlet',
    connectionTimeoutMillis: connectLimitMs,
    keepAlive: true,
    stream: () => socket,
  };
}

/** A connection for statements; each has so long. @throws SwiftletError */
export async function connectTo(settings: PostgresqlConnectionSettings, means: SourceMeans, socket = new Socket()): Promise<Client> {
  const client = new Client({ ...clientConfig(settings, means, socket), query_timeout: answerLimitMs });
  // A connection that breaks says so to whoever waits for it.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    socket.destroy();
    throw faultOf(settings, error);
  }
}

/** Ends a connection when the signal aborts, as long as this is not disposed of. */
export function endedBy(signal: AbortSignal, socket: Socket): Disposable {
  const end = () => socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener('abort', end) };
}

/** By PostgreSQL's classes of errors. */
export function faultOf({ address }: PostgresqlConnectionSettings, error: unknown): SwiftletError {
  if (error instanceof SwiftletError) return error;
  const code = errorCode(error) ?? '';
  if (code.startsWith('28') || code === '42501') return sourceFault('SourceRefused', `PostgreSQL at ${address} refuses Swiftlet`, error);
  if (code === '3D000') return sourceFault('SourceMissing', `there is no such database at ${address}`, error);
  if (code === '42704') return sourceFault('SourceMissing', `something that is consumed is not there at ${address}`, error);
  if (/^(42|22|55|0A)/.test(code) && code !== '55006')
    return sourceFault('SourceInvalid', `PostgreSQL at ${address} cannot be used so`, error);
  return sourceFault('SourceUnreachable', `PostgreSQL at ${address} cannot be reached`, error);
}
