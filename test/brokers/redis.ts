/** A real Redis. What it acknowledged is on its disk. */
import { freePort } from '../../bench/free-port.ts';
import { createClient } from '@redis/client';
import { Broker, brokerFolder, brokerPassword } from './broker.ts';

export async function startRedis(): Promise<Broker> {
  const port = await freePort();
  const settings = { port, bind: '127.0.0.1', appendonly: 'yes', appendfsync: 'always', save: '', requirepass: brokerPassword };
  const broker = new Broker(port, brokerFolder('redis'), {
    command: 'redis-server',
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ready: /Ready to accept connections/,
  });
  await broker.start();
  return broker;
}

const clientOf = (port: number) => createClient({ url: `redis://127.0.0.1:${port}`, password: brokerPassword });

/** For what a test has to say to it. */
export async function withRedis<T>(port: number, work: (client: ReturnType<typeof clientOf>) => Promise<T>): Promise<T> {
  const client = clientOf(port);
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
