/** Each broker with something to consume, for ledgers. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Broker, brokerPassword } from '../brokers/broker.ts';
import { kafkaUser, makeTopic, produce, startKafka } from '../brokers/kafka.ts';
import { mosquittoUser, publish, saveMosquitto, startMosquitto } from '../brokers/mosquitto.ts';
import { postgresqlUser, startPostgresql, withPostgresql } from '../brokers/postgresql.ts';
import { rabbitmqUser, startRabbitmq, withChannel } from '../brokers/rabbitmq.ts';
import { startRedis, withRedis } from '../brokers/redis.ts';
import { s3AccessKey, startS3 } from '../brokers/s3.ts';
import type { LedgerBroker } from './source-ledger.ts';

const passwordVariable = 'BROKER_PASSWORD';

const ledgerBroker = (
  broker: Broker,
  origin: LedgerBroker['origin'],
  send: LedgerBroker['send'],
  save: () => Promise<void> = () => Promise.resolve(),
): LedgerBroker => ({
  origin,
  environment: { [passwordVariable]: brokerPassword },
  send,
  async restart() {
    await save();
    await broker.kill();
    await broker.start();
  },
  [Symbol.asyncDispose]: () => broker[Symbol.asyncDispose](),
});

export async function redisWithStream(): Promise<LedgerBroker> {
  const redis = await startRedis();
  const address = `redis://127.0.0.1:${redis.port}`;
  return ledgerBroker(redis, { kind: 'redis', address, passwordVariable, stream: 'orders' }, (bodies) =>
    withRedis(redis.port, async (client) => {
      await Promise.all(bodies.map((body) => client.sendCommand(['XADD', 'orders', '*', 'data', body])));
    }),
  );
}

export async function rabbitmqWithQueue(): Promise<LedgerBroker> {
  const rabbitmq = await startRabbitmq();
  await withChannel(rabbitmq.port, (channel) => channel.assertQueue('orders', { durable: true, arguments: { 'x-queue-type': 'classic' } }));
  const address = `amqp://127.0.0.1:${rabbitmq.port}`;
  const origin = { kind: 'rabbitmq', address, user: rabbitmqUser, passwordVariable, queue: 'orders' } as const;
  const send = (bodies: readonly string[]) =>
    withChannel(rabbitmq.port, async (channel) => {
      for (const body of bodies) channel.sendToQueue('orders', Buffer.from(body), { persistent: true });
      return Promise.resolve();
    });
  return ledgerBroker(rabbitmq, origin, send, () => rabbitmq.save());
}

/** Its session has to be there before something is sent: MQTT keeps nothing for those who come later. */
export async function mosquittoWithTopic(): Promise<LedgerBroker> {
  const mosquitto = await startMosquitto();
  const address = `mqtt://127.0.0.1:${mosquitto.port}`;
  const origin = { kind: 'mqtt', address, user: mosquittoUser, passwordVariable, topic: 'orders/#' } as const;
  const send = (bodies: readonly string[]) => publish(mosquitto.port, 'orders/new', bodies);
  return ledgerBroker(mosquitto, origin, send, () => saveMosquitto(mosquitto));
}

export async function kafkaWithTopic(): Promise<LedgerBroker> {
  const kafka = await startKafka();
  await makeTopic(kafka.port, 'orders', 4);
  const servers = [`127.0.0.1:${kafka.port}`];
  return ledgerBroker(kafka, { kind: 'kafka', servers, user: kafkaUser, passwordVariable, topic: 'orders' }, (bodies) =>
    produce(
      kafka.port,
      'orders',
      bodies.map((body, at) => ({ body, key: String(at) })),
    ),
  );
}

/** Each body is an object's key. */
export async function s3WithBucket(): Promise<LedgerBroker> {
  const s3 = await startS3(['orders']);
  const address = `http://127.0.0.1:${s3.port}`;
  const origin = {
    kind: 's3',
    address,
    bucket: 'orders',
    accessKey: s3AccessKey,
    secretKeyVariable: passwordVariable,
    pollMs: 200,
  } as const;
  return ledgerBroker(s3, origin, (bodies) => {
    // The server takes what lies in its folder for objects: to put a hundred thousand by itself would be most of the time.
    for (const body of bodies) writeFileSync(join(s3.folder, 'objects', 'orders', body), '-');
    return Promise.resolve();
  });
}

/** Each body is a file's name. Nothing serves a folder, so nothing of it restarts. */
export function folderWithFiles(): LedgerBroker {
  const path = mkdtempSync(join(tmpdir(), 'swiftlet-orders-'));
  // The role that looks into it has a user of its own.
  chmodSync(path, 0o755);
  return {
    origin: { kind: 'folder', path, pollMs: 200, settleMs: 0 },
    environment: {},
    platformEnvironment: { SWIFTLET_SOURCE_FOLDERS: path },
    send(bodies) {
      for (const body of bodies) writeFileSync(join(path, body), '-');
      return Promise.resolve();
    },
    restart: () => Promise.resolve(),
    [Symbol.asyncDispose]() {
      rmSync(path, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

/** Rows of one statement are one transaction, which comes again whole. */
const rowsAtOnce = 20;

export async function postgresqlWithTable(): Promise<LedgerBroker> {
  const postgresql = await startPostgresql();
  await withPostgresql(postgresql.port, (client) =>
    client.query('CREATE TABLE orders (n int PRIMARY KEY); CREATE PUBLICATION orders FOR TABLE orders'),
  );
  const address = `postgres://127.0.0.1:${postgresql.port}/postgres`;
  return ledgerBroker(
    postgresql,
    { kind: 'postgresql', address, user: postgresqlUser, passwordVariable, publication: 'orders' },
    (bodies) =>
      withPostgresql(postgresql.port, async (client) => {
        const numbers = bodies.map((body) => (JSON.parse(body) as { n: number }).n);
        for (let from = 0; from < numbers.length; from += rowsAtOnce)
          await client.query('INSERT INTO orders SELECT * FROM unnest($1::int[])', [numbers.slice(from, from + rowsAtOnce)]);
      }),
  );
}
