/** A NATS server with a stream, for tests of what consumes it. */
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { LedgerBroker } from '../e2e/source-ledger.ts';
import { startNats } from './nats.ts';

const user = 'swiftlet';
const password = 'a password';

export interface NatsStream extends LedgerBroker {
  readonly origin: {
    readonly kind: 'jetstream';
    readonly servers: string[];
    readonly user: string;
    readonly passwordVariable: string;
    readonly stream: string;
  };
  /** A client of the test's own; another one after a restart. */
  readonly client: NatsConnection;
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** @param stream its name; its subjects begin with it and a dot */
export async function startNatsStream(stream = 'ORDERS'): Promise<NatsStream> {
  const server = await startNats({ user, password });
  const open = () => connect({ servers: server.url, user, pass: password, reconnect: false });
  let client = await open();
  await (await jetstreamManager(client)).streams.add({ name: stream, subjects: [`${stream}.>`] });
  const kill = async () => {
    await client.close();
    await server.kill();
  };
  const start = async () => {
    await server.start();
    client = await open();
  };
  return {
    origin: { kind: 'jetstream', servers: [server.url], user, passwordVariable: 'NATS_PASSWORD', stream },
    environment: { NATS_PASSWORD: password },
    get client() {
      return client;
    },
    async send(bodies) {
      const publisher = jetstream(client);
      await Promise.all(bodies.map((body) => publisher.publish(`${stream}.new`, body)));
    },
    kill,
    start,
    async restart() {
      await kill();
      await start();
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}
