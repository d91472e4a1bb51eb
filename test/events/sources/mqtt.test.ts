import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../../bench/free-port.ts';
import { sourceKind } from '../../../src/events/sources/mqtt.ts';
import { mqttSourceSchema } from '../../../src/model/sources/mqtt.ts';
import { type Broker, brokerPassword } from '../../brokers/broker.ts';
import { mosquittoUser, publish, saveMosquitto, startMosquitto } from '../../brokers/mosquitto.ts';
import { meansOf, passwordVariable } from './means.ts';
import { type Place, sourceContract, take } from './source.contract.ts';

const settings = (port: number, topic: string) =>
  mqttSourceSchema.parse({ kind: 'mqtt', address: `mqtt://127.0.0.1:${port}`, user: mosquittoUser, passwordVariable, topic });

const placeAt = (port: number, topic: string, filter = topic): Place => ({
  driver: (change) =>
    sourceKind.driver(settings(port, filter), meansOf(brokerPassword, { consumer: topic.replaceAll('/', '-'), ...change })),
  send: (sent) =>
    publish(
      port,
      topic,
      sent.map(({ body }) => body),
    ),
});

let mosquitto: Broker;
before(async () => (mosquitto = await startMosquitto()));
after(() => mosquitto[Symbol.asyncDispose]());

const abilities = { isOrdered: true, hasPast: false, givesBackFirst: true, hasLag: false, hasStableIds: false, hasKeys: false };

sourceContract('mqtt', abilities, async () => {
  let places = 0;
  return {
    place: () => Promise.resolve(placeAt(mosquitto.port, `place/${places}/x`, `place/${places++}/#`)),
    away: sourceKind.driver(settings(await freePort(), 'any'), meansOf(brokerPassword)),
    refused: sourceKind.driver(settings(mosquitto.port, 'any'), meansOf('wrong')),
    async kill() {
      await saveMosquitto(mosquitto);
      await mosquitto.kill();
    },
    start: () => mosquitto.start(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

describe('MQTT', () => {
  const open = (topic: string, messages: number) =>
    placeAt(mosquitto.port, topic)
      .driver({ most: { messages, bytes: 1_000_000 } })
      .open(AbortSignal.timeout(5_000));

  it('is sent no more than it may have at once', async () => {
    const place = placeAt(mosquitto.port, 'many');
    await using source = await open('many', 5);
    await place.send(Array.from({ length: 12 }, (_, at) => ({ body: String(at) })));
    const taken = await take(source, 5);
    assert.deepEqual(await take(source, 1, {}, 300), []);
    // Out of order: what lies behind an unsettled one is acknowledged with it.
    await source.acknowledge(taken.slice(1));
    await source.acknowledge(taken.slice(0, 1));
    assert.equal((await take(source, 5)).length, 5);
  });

  it('counts what nothing was promised for and it had no room for', async () => {
    await using source = await open('sensor', 2);
    await publish(mosquitto.port, 'sensor', ['0', '1', '2', '3', '4', '5'], { qos: 0 });
    const taken = await take(source, 2);
    assert.equal(taken.length, 2);
    for (const until = performance.now() + 2_000; source.dropped < 4 && performance.now() < until; )
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(source.dropped, 4);
  });

  it('tells a message’s topic, and what came with it', async () => {
    await using source = await placeAt(mosquitto.port, 'told/x', 'told/+').driver().open(AbortSignal.timeout(5_000));
    await publish(mosquitto.port, 'told/x', ['1'], { qos: 1, properties: { contentType: 'text/plain', userProperties: { a: 'b' } } });
    const [message] = await take(source, 1);
    assert.equal(message?.key, 'told/x');
    assert.equal(message.partition, 'told/+');
    const { messageAttributes, eventSourceARN } = message.record() as { messageAttributes: object; eventSourceARN: string };
    assert.match(eventSourceARN, /told\/x$/);
    assert.deepEqual(messageAttributes, {
      'content-type': { stringValue: 'text/plain', dataType: 'String' },
      a: { stringValue: 'b', dataType: 'String' },
    });
  });

  it('refuses a topic that is none', () => {
    for (const topic of ['a/#/b', 'a+/b', 'a#', '']) assert.throws(() => settings(1, topic), topic);
    for (const topic of ['#', '+', 'a/+/b', 'a/#', '/a']) settings(1, topic);
  });
});
