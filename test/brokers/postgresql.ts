/** A real PostgreSQL with logical replication. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../bench/free-port.ts';
import { Client } from 'pg';
import { Broker, brokerFolder, brokerPassword, runTool } from './broker.ts';

const programs = '/usr/lib/postgresql/15/bin';
export const postgresqlUser = 'swiftlet';

export async function startPostgresql(): Promise<Broker> {
  const port = await freePort();
  const folder = brokerFolder('postgresql');
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, brokerPassword);
  chmodSync(passwordFile, 0o644);
  await runTool(folder, `${programs}/initdb`, [
    ...['-D', data, '-U', postgresqlUser, '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--no-sync', '--encoding=UTF8'],
  ]);
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    wal_level: 'logical',
    max_wal_senders: 16,
    max_replication_slots: 64,
  };
  const broker = new Broker(port, folder, {
    command: `${programs}/postgres`,
    args: ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    ready: /database system is ready to accept connections/,
  });
  await broker.start();
  return broker;
}

/** For what a test has to say to it. */
export async function withPostgresql(port: number, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ host: '127.0.0.1', port, user: postgresqlUser, password: brokerPassword, database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
