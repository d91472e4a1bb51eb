import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../../bench/free-port.ts';
import { idOfItem, messageOf } from '../../../src/events/sources/kafka-record.ts';
import { placesToCommit } from '../../../src/events/sources/kafka-start.ts';
import { sourceKind } from '../../../src/events/sources/kafka.ts';
import { kafkaSourceSchema } from '../../../src/model/sources/kafka.ts';
import { type Broker, brokerPassword } from '../../brokers/broker.ts';
import { kafkaUser, makeTopic, produce, startKafka } from '../../brokers/kafka.ts';
import { meansOf, passwordVariable } from './means.ts';
import { type Place, sourceContract, take } from './source.contract.ts';

let kafka: Broker;
before(async () => (kafka = await startKafka()));
after(() => kafka[Symbol.asyncDispose]());

const settings = (port: number, topic: string) =>
  kafkaSourceSchema.parse({ kind: 'kafka', servers: [`127.0.0.1:${port}`], topic, user: kafkaUser, passwordVariable });
async function placeAt(topic: string, partitions: number): Promise<Place> {
  await makeTopic(kafka.port, topic, partitions);
  return {
    driver: (change) => sourceKind.driver(settings(kafka.port, topic), meansOf(brokerPassword, { consumer: topic, ...change })),
    send: (sent) => produce(kafka.port, topic, sent),
  };
}

const abilities = { isOrdered: true, hasPast: true, tickMs: 20, givesBackFirst: true, hasLag: true, hasStableIds: true, hasKeys: true };

sourceContract('kafka', abilities, async () => {
  let places = 0;
  return {
    place: () => placeAt(`place-${places++}`, 3),
    away: sourceKind.driver(settings(await freePort(), 'any'), meansOf(brokerPassword)),
    refused: sourceKind.driver(settings(kafka.port, 'any'), meansOf('wrong')),
    missing: sourceKind.driver(settings(kafka.port, 'nowhere'), meansOf(brokerPassword)),
    kill: () => kafka.kill(),
    start: () => kafka.start(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

describe('Kafka', () => {
  it('tells messages as Lambda does, by partition', async () => {
    const place = await placeAt('told', 1);
    await using source = await place.driver().open(AbortSignal.timeout(5_000));
    await place.send([{ body: 'x', key: 'k' }, { body: 'y' }]);
    const messages = await take(source, 2);
    const event = place.driver().eventOf(messages) as { records: Record<string, Record<string, unknown>[]> };
    assert.deepEqual(
      event.records['told-0']?.map(({ offset, key, value }) => ({ offset, key, value })),
      [
        { offset: 0, key: Buffer.from('k').toString('base64'), value: Buffer.from('x').toString('base64') },
        { offset: 1, key: undefined, value: Buffer.from('y').toString('base64') },
      ],
    );
    assert.equal(idOfItem({ partition: 'told-0', offset: 1 }), messages[1]?.id);
    await source.acknowledge(messages);
  });

  it('takes a message without a value, and what names no message for nothing', () => {
    const raw = {
      topic: 't',
      partition: 2,
      offset: 9n,
      timestamp: 5n,
      key: null,
      value: null,
      headers: new Map([[Buffer.from('h'), Buffer.from('v')]]),
    };
    const message = messageOf(raw);
    const { id, partition, key, body, sentMs } = message;
    assert.deepEqual(
      { id, partition, key, bytes: body.length, sentMs },
      { id: 't-2@9', partition: 't-2', key: undefined, bytes: 0, sentMs: 5 },
    );
    assert.deepEqual(message.record()['headers'], [{ h: [118] }]);
    for (const item of [{}, { partition: 't-2' }, { partition: 2, offset: 9 }]) assert.equal(idOfItem(item), undefined);
  });

  it('commits the places of a group that has none', () => {
    assert.deepEqual(placesToCommit([-1n, 4n], [3n, 0n, -1n], [7n, 9n, 2n]), [
      { partition: 0, offset: 3n },
      { partition: 2, offset: 2n },
    ]);
  });
});
