import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../../bench/free-port.ts';
import type { rabbitmqRecord } from '../../../src/events/sources/rabbitmq-record.ts';
import { sinkKind } from '../../../src/events/sources/rabbitmq-sink.ts';
import { sourceKind } from '../../../src/events/sources/rabbitmq.ts';
import { rabbitmqQueueSchema, rabbitmqSourceSchema } from '../../../src/model/sources/rabbitmq.ts';
import { brokerPassword } from '../../brokers/broker.ts';
import { type Rabbitmq, rabbitmqUser, startRabbitmq, withChannel } from '../../brokers/rabbitmq.ts';
import { meansOf, passwordVariable } from './means.ts';
import { sinkContract } from './sink.contract.ts';
import { type Place, sourceContract, take } from './source.contract.ts';

const settings = (port: number, queue: string, path = '') =>
  rabbitmqSourceSchema.parse({ kind: 'rabbitmq', address: `amqp://127.0.0.1:${port}${path}`, user: rabbitmqUser, passwordVariable, queue });

async function placeAt(port: number, queue: string, type = 'quorum'): Promise<Place> {
  await withChannel(port, (channel) => channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': type } }));
  return {
    driver: (change) => sourceKind.driver(settings(port, queue), meansOf(brokerPassword, change)),
    send: (sent) =>
      withChannel(port, async (channel) => {
        for (const { body } of sent) channel.sendToQueue(queue, Buffer.from(body), { persistent: true });
        return Promise.resolve();
      }),
  };
}

let rabbitmq: Rabbitmq;
before(async () => {
  rabbitmq = await startRabbitmq();
  await withChannel(rabbitmq.port, (channel) => channel.assertQueue('ends', { durable: true }));
});
after(() => rabbitmq[Symbol.asyncDispose]());

const abilities = { isOrdered: true, hasPast: false, givesBackFirst: true, hasLag: true, hasStableIds: false, hasKeys: false };

sourceContract('rabbitmq', abilities, async () => {
  let places = 0;
  return {
    place: () => placeAt(rabbitmq.port, `queue-${places++}`, 'classic'),
    away: sourceKind.driver(settings(await freePort(), 'any'), meansOf(brokerPassword)),
    refused: sourceKind.driver(settings(rabbitmq.port, 'any'), meansOf('wrong')),
    missing: sourceKind.driver(settings(rabbitmq.port, 'nowhere'), meansOf(brokerPassword)),
    kill: async () => {
      await rabbitmq.save();
      await rabbitmq.kill();
    },
    start: () => rabbitmq.start(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

const opened = (queue: string, password = brokerPassword) =>
  sinkKind.open(
    rabbitmqQueueSchema.parse({
      kind: 'rabbitmq',
      address: `amqp://127.0.0.1:${rabbitmq.port}`,
      user: rabbitmqUser,
      passwordVariable,
      queue,
    }),
    meansOf(password),
  );

sinkContract('rabbitmq', () => ({
  open: () => opened('ends'),
  async bodies() {
    const bodies: string[] = [];
    await withChannel(rabbitmq.port, async (channel) => {
      for (let got = await channel.get('ends', { noAck: true }); got !== false; got = await channel.get('ends', { noAck: true }))
        bodies.push(got.content.toString());
    });
    return bodies;
  },
  faulty: { SourceRefused: () => opened('ends', 'wrong'), SourceMissing: () => opened('nowhere') },
  async kill() {
    await rabbitmq.save();
    await rabbitmq.kill();
  },
  start: () => rabbitmq.start(),
}));

describe('RabbitMQ', () => {
  it('says that a virtual host is not there, and breaks when its queue is deleted', async () => {
    const elsewhere = sourceKind.driver(settings(rabbitmq.port, 'any', '/elsewhere'), meansOf(brokerPassword));
    await assert.rejects(elsewhere.open(AbortSignal.timeout(5_000)), { code: 'SourceMissing' });
    const place = await placeAt(rabbitmq.port, 'deleted');
    await using source = await place.driver().open(AbortSignal.timeout(5_000));
    const waiting = assert.rejects(take(source, 1), { code: 'SourceMissing', message: /"deleted" was deleted/ });
    await withChannel(rabbitmq.port, (channel) => channel.deleteQueue('deleted'));
    await waiting;
  });

  it('takes no more than it may have at once, of a quorum queue, too', async () => {
    const place = await placeAt(rabbitmq.port, 'many');
    await place.send(Array.from({ length: 30 }, (_, at) => ({ body: String(at) })));
    await using source = await place.driver({ most: { messages: 5, bytes: 1_000_000 } }).open(AbortSignal.timeout(5_000));
    const taken = await take(source, 5);
    assert.equal(taken.length, 5);
    assert.equal(await source.lag(), 25);
    await source.acknowledge(taken);
    assert.equal((await take(source, 5)).length, 5);
  });

  it('tells a message as Lambda does', async () => {
    const place = await placeAt(rabbitmq.port, 'told');
    await using source = await place.driver().open(AbortSignal.timeout(5_000));
    await withChannel(rabbitmq.port, (channel) => {
      channel.sendToQueue('told', Buffer.from('{"a":1}'), {
        contentType: 'application/json',
        headers: { x: 'ab', n: 3 },
        timestamp: 1_700_000_000,
      });
      return Promise.resolve();
    });
    const [message] = await take(source, 1);
    assert.ok(message !== undefined);
    assert.equal(message.sentMs, 1_700_000_000_000);
    const event = place.driver().eventOf([message]) as {
      eventSourceArn: string;
      rmqMessagesByQueue: Record<string, ReturnType<typeof rabbitmqRecord>[]>;
    };
    assert.equal(event.eventSourceArn, `arn:swiftlet:mq:local::broker:127.0.0.1:${rabbitmq.port}`);
    const { basicProperties, data } = event.rmqMessagesByQueue['told::/']?.[0] ?? {};
    assert.equal(data, Buffer.from('{"a":1}').toString('base64'));
    const { contentType, headers, bodySize } = basicProperties as Record<string, unknown>;
    assert.deepEqual(
      { contentType, headers, bodySize },
      { contentType: 'application/json', headers: { x: { bytes: [97, 98] }, n: 3 }, bodySize: 7 },
    );
  });
});
