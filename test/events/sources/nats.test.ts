/** NATS and its JetStream as sources, over a real server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, nanos, type NatsConnection } from '@nats-io/transport-node';
import { jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { sourceKind as jetStreamKind } from '../../../src/events/sources/jetstream.ts';
import { sourceKind as natsKind } from '../../../src/events/sources/nats.ts';
import type { SourceMeans } from '../../../src/events/sources/source.ts';
import { startNats } from '../../brokers/nats.ts';
import { mostInTests, type Sent, type ServerUnderTest, sourceContract, take } from './source.contract.ts';

const user = 'swiftlet';
const password = 'a password';
const meansOf = (change: Partial<SourceMeans> = {}): SourceMeans => ({
  consumer: 'swiftlet_default_test_incoming',
  start: { kind: 'earliest' },
  most: mostInTests,
  secret: () => password,
  ...change,
});

const roomy = { ...mostInTests, messages: 1_000 };

interface Client extends AsyncDisposable {
  readonly connection: NatsConnection;
  readonly servers: string[];
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** A server and a client of ours, which goes with it. */
async function startServer(): Promise<Client> {
  const server = await startNats({ user, password });
  const open = () => connect({ servers: server.url, user, pass: password, reconnect: false });
  let connection = await open();
  return {
    get connection() {
      return connection;
    },
    servers: [server.url],
    async kill() {
      await connection.close();
      await server.kill();
    },
    async start() {
      await server.start();
      connection = await open();
    },
    async [Symbol.asyncDispose]() {
      await connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

const login = { user, passwordVariable: 'NATS_PASSWORD' };
/** Nobody listens there. */
const nowhere = ['nats://127.0.0.1:1'];

async function natsServer(): Promise<ServerUnderTest> {
  const client = await startServer();
  const settings = { kind: 'nats', ...login, servers: client.servers } as const;
  let places = 0;
  return {
    place() {
      const subject = `place.${(places += 1)}`;
      return Promise.resolve({
        // It keeps nothing: all that a test sends at once has to find room.
        driver: (means) => natsKind.driver({ ...settings, subject: `${subject}.*` }, meansOf({ most: roomy, ...means })),
        async send(messages: readonly Sent[]) {
          for (const { body, key = 'none' } of messages) client.connection.publish(`${subject}.${key}`, body);
          await client.connection.flush();
        },
      });
    },
    away: natsKind.driver({ ...settings, servers: nowhere, subject: 'a' }, meansOf()),
    refused: natsKind.driver({ ...settings, subject: 'a' }, meansOf({ secret: () => 'wrong' })),
    kill: () => client.kill(),
    start: () => client.start(),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

async function jetStreamServer(): Promise<ServerUnderTest> {
  const client = await startServer();
  const settings = { kind: 'jetstream', ...login, servers: client.servers } as const;
  let places = 0;
  return {
    async place() {
      const stream = `PLACE-${(places += 1)}`;
      const manager = await jetstreamManager(client.connection);
      await manager.streams.add({
        name: stream,
        subjects: [`${stream}.*`],
        retention: RetentionPolicy.Limits,
        duplicate_window: nanos(1_000),
      });
      return {
        driver: (means) => jetStreamKind.driver({ ...settings, stream }, meansOf(means)),
        async send(messages: readonly Sent[]) {
          const publisher = jetstream(client.connection);
          await Promise.all(messages.map(({ body, key = 'none' }) => publisher.publish(`${stream}.${key}`, body)));
        },
      };
    },
    away: jetStreamKind.driver({ ...settings, servers: nowhere, stream: 'A' }, meansOf()),
    refused: jetStreamKind.driver({ ...settings, stream: 'A' }, meansOf({ secret: () => 'wrong' })),
    missing: jetStreamKind.driver({ ...settings, stream: 'NOT-THERE' }, meansOf()),
    kill: () => client.kill(),
    start: () => client.start(),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

const queue = { isOrdered: true, givesBackFirst: true, hasKeys: false };
sourceContract('NATS', { ...queue, hasPast: false, hasLag: false, hasStableIds: true }, natsServer);
sourceContract('NATS JetStream', { ...queue, hasPast: true, tickMs: 20, hasLag: true, hasStableIds: true }, jetStreamServer);

test('JetStream: where order matters, what a consumer that died had taken comes before what is behind it', async () => {
  await using client = await startServer();
  const manager = await jetstreamManager(client.connection);
  await manager.streams.add({ name: 'ORDERED', subjects: ['ORDERED.*'] });
  const publisher = jetstream(client.connection);
  for (const number of [1, 2, 3, 4]) await publisher.publish('ORDERED.a', String(number));
  const means = meansOf({ isOrdered: true });
  const driver = jetStreamKind.driver({ kind: 'jetstream', ...login, servers: client.servers, stream: 'ORDERED' }, means);
  await (await driver.open(AbortSignal.timeout(5_000)))[Symbol.asyncDispose]();
  // What a process that is killed leaves: taken, and never heard of again.
  const consumer = await publisher.consumers.get('ORDERED', means.consumer);
  for await (const { seq } of await consumer.fetch({ max_messages: 2, expires: 1_000 })) assert.ok(seq <= 2);
  await using source = await driver.open(AbortSignal.timeout(5_000));
  const taken = await take(source, 4);
  assert.deepEqual(
    taken.map(({ body }) => Buffer.from(body).toString()),
    ['1', '2', '3', '4'],
  );
});
