/** A real Kafka: one broker that is its own controller. */
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from '../../bench/free-port.ts';
import { Admin, Consumer, Producer } from '@platformatic/kafka';
import { Broker, brokerFolder, brokerPassword, giveTo } from './broker.ts';
import { kafkaFiles, propertiesOf, storageSettings } from './kafka-jars.ts';

const topicLimitMs = 5_000;
export const kafkaUser = 'swiftlet';

export async function startKafka(): Promise<Broker> {
  const { classPath, storage } = await kafkaFiles();
  const [port, controllerPort] = [await freePort(), await freePort()];
  const folder = brokerFolder('kafka');
  const logs = join(folder, 'logs');
  cpSync(storage, logs, { recursive: true });
  giveTo(logs);
  const settings = join(folder, 'server.properties');
  writeFileSync(settings, propertiesOf({ ...storageSettings(logs, port, controllerPort), ...more }));
  const broker = new Broker(port, folder, {
    command: 'java',
    args: [...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'kafka.Kafka', settings]],
    ready: /Kafka Server started/,
  });
  await broker.start();
  return broker;
}

const more: Readonly<Record<string, string>> = {
  'sasl.enabled.mechanisms': 'PLAIN',
  'sasl.mechanism.inter.broker.protocol': 'PLAIN',
  'listener.name.clients.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required username="${kafkaUser}" password="${brokerPassword}" user_${kafkaUser}="${brokerPassword}";`,
  'auto.create.topics.enable': 'false',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  // A broker that was killed may come back as soon as its predecessor is given up.
  'broker.session.timeout.ms': '1000',
  'broker.heartbeat.interval.ms': '200',
  'num.network.threads': '1',
  'num.io.threads': '2',
};

const clientOptions = (port: number) => ({
  clientId: 'test',
  bootstrapBrokers: [`127.0.0.1:${port}`],
  sasl: { mechanism: 'PLAIN' as const, username: kafkaUser, password: brokerPassword },
});

/** Resolves when the broker serves it: what is sent before that is sent again, and some of it comes twice. */
export async function makeTopic(port: number, topic: string, partitions: number): Promise<void> {
  const admin = new Admin(clientOptions(port));
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  await admin.close();
  const looks = new Consumer({ ...clientOptions(port), groupId: 'looks', retries: false });
  const until = performance.now() + topicLimitMs;
  // Each partition's leader has to answer.
  while (!(await isServed(looks, topic)) && performance.now() < until) await setTimeout(20);
  await looks.close(true);
}

const isServed = (looks: Consumer, topic: string): Promise<boolean> =>
  looks.listOffsets({ topics: [topic] }).then(
    () => true,
    () => false,
  );

/** Resolves when it has them all. */
export async function produce(
  port: number,
  topic: string,
  sent: readonly { readonly body: string | Uint8Array; readonly key?: string }[],
): Promise<void> {
  const producer = new Producer(clientOptions(port));
  const messages = sent.map(({ body, key }) => ({
    topic,
    value: Buffer.from(body),
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
  }));
  await producer.send({ messages, acks: -1 });
  await producer.close();
}
