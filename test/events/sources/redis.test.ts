import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../../bench/free-port.ts';
import { sourceKind } from '../../../src/events/sources/redis.ts';
import { entriesOf, groupStartOf, messageOf } from '../../../src/events/sources/redis-entry.ts';
import { sinkKind } from '../../../src/events/sources/redis-sink.ts';
import type { Source } from '../../../src/events/sources/source.ts';
import { redisQueueSchema, redisSourceSchema } from '../../../src/model/sources/redis.ts';
import { type Broker, brokerPassword } from '../../brokers/broker.ts';
import { startRedis, withRedis } from '../../brokers/redis.ts';
import { meansOf, passwordVariable } from './means.ts';
import { sinkContract } from './sink.contract.ts';
import { mostInTests, type Place, sourceContract, take } from './source.contract.ts';

const settings = (port: number, stream: string) =>
  redisSourceSchema.parse({ kind: 'redis', address: `redis://127.0.0.1:${port}`, passwordVariable, stream });

const placeAt = (port: number, stream: string): Place => ({
  driver: (change) => sourceKind.driver(settings(port, stream), meansOf(brokerPassword, change)),
  send: (sent) =>
    withRedis(port, async (client) => {
      await Promise.all(sent.map(({ body }) => client.sendCommand(['XADD', stream, '*', 'data', Buffer.from(body)])));
    }),
});

const abilities = { isOrdered: true, hasPast: true, tickMs: 20, givesBackFirst: true, hasLag: true, hasStableIds: true, hasKeys: false };

sourceContract('redis', abilities, async () => {
  const redis = await startRedis();
  let places = 0;
  return {
    place: () => Promise.resolve(placeAt(redis.port, `stream-${places++}`)),
    away: placeAt(await freePort(), 'any').driver(),
    refused: sourceKind.driver(settings(redis.port, 'any'), meansOf('wrong')),
    kill: () => redis.kill(),
    start: () => redis.start(),
    [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
  };
});

describe('to Redis', () => {
  let redis: Broker;
  before(async () => (redis = await startRedis()));
  after(() => redis[Symbol.asyncDispose]());
  const opened = (stream: string, port = redis.port, password = brokerPassword) => {
    const to = redisQueueSchema.parse({ kind: 'redis', address: `redis://127.0.0.1:${port}`, passwordVariable, stream });
    return sinkKind.open(to, meansOf(password));
  };
  sinkContract('redis', () => ({
    open: () => opened('ends'),
    bodies: () =>
      withRedis(redis.port, async (client) =>
        ((await client.xRange('ends', '-', '+')) ?? []).map((entry) => String(entry.message['data'])),
      ),
    faulty: {
      SourceRefused: () => opened('ends', redis.port, 'wrong'),
      SourceInvalid: async () => {
        await withRedis(redis.port, (client) => client.set('text', 'x'));
        return opened('text');
      },
    },
    kill: () => redis.kill(),
    start: () => redis.start(),
  }));
});

describe('Redis Streams', () => {
  const open = (port: number, stream: string): Promise<Source> => placeAt(port, stream).driver().open(AbortSignal.timeout(5_000));

  it('refuses what is no stream, tells other fields, and passes entries that were trimmed', async () => {
    await using redis = await startRedis();
    await withRedis(redis.port, (client) => client.set('text', 'x'));
    await assert.rejects(open(redis.port, 'text'), { code: 'SourceInvalid', message: /"text" at redis:.* is no stream/ });
    {
      await using source = await open(redis.port, 'orders');
      await withRedis(redis.port, (client) => client.sendCommand(['XADD', 'orders', '7-0', 'data', 'x', 'colour', 'red']));
      const [first] = await take(source, 1);
      assert.equal(first?.id, '7-0');
      assert.equal(first.sentMs, 7);
      const { messageAttributes } = first.record() as { messageAttributes: object };
      assert.deepEqual(messageAttributes, { colour: { stringValue: 'red', dataType: 'String' } });
    }
    await withRedis(redis.port, (client) => client.sendCommand(['XTRIM', 'orders', 'MAXLEN', '0']));
    await using source = await open(redis.port, 'orders');
    assert.deepEqual(await source.next({ ...mostInTests, except: new Set() }, AbortSignal.timeout(200)), []);
    assert.equal(await source.lag(), 0);
  });

  it('understands answers, and takes an entry without the field whole', () => {
    const reply = [
      [
        Buffer.from('s'),
        [
          [Buffer.from('1-0'), [Buffer.from('a'), Buffer.from('b')]],
          [Buffer.from('1-1'), null],
        ],
      ],
    ];
    assert.deepEqual(entriesOf(reply), [
      { id: '1-0', fields: [Buffer.from('a'), Buffer.from('b')] },
      { id: '1-1', fields: undefined },
    ]);
    assert.deepEqual(entriesOf(null), []);
    assert.equal(
      Buffer.from(messageOf('s', 'data', '1-0', [Buffer.from('__proto__'), Buffer.from('x')]).body).toString(),
      '{"__proto__":"x"}',
    );
  });

  it('begins where it is told to', () => {
    const stream = new Map<string, unknown>([
      ['last-generated-id', Buffer.from('9-1')],
      ['entries-added', 12],
    ]);
    assert.deepEqual(groupStartOf({ kind: 'earliest' }, stream), { id: '0', entriesRead: undefined });
    assert.deepEqual(groupStartOf({ kind: 'latest' }, stream), { id: '9-1', entriesRead: 12 });
    assert.deepEqual(groupStartOf({ kind: 'latest' }, undefined), { id: '0', entriesRead: undefined });
    assert.deepEqual(groupStartOf({ kind: 'at', atMs: 5 }, stream), { id: '4-18446744073709551615', entriesRead: undefined });
  });
});
