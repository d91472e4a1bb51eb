/** Buckets of a real S3-compatible server: listed again and again, and told of by notifications. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { freePort } from '../../../bench/free-port.ts';
import { sourceKind as jetStreamKind } from '../../../src/events/sources/jetstream.ts';
import { sourceKind } from '../../../src/events/sources/s3.ts';
import type { Message, Source, SourceMeans } from '../../../src/events/sources/source.ts';
import { SwiftletError } from '../../../src/model/errors.ts';
import { s3SourceSchema } from '../../../src/model/sources/s3.ts';
import { type Broker, brokerPassword } from '../../brokers/broker.ts';
import { startNatsStream } from '../../brokers/nats-stream.ts';
import { askS3, s3AccessKey, startS3 } from '../../brokers/s3.ts';
import { asSent } from './as-sent.ts';
import { meansOf, passwordVariable } from './means.ts';
import { mostInTests, type Place, sourceContract, take } from './source.contract.ts';

const openedWithinMs = 5_000;
const quietMs = 500;

let s3: Broker;
let places: string;
before(async () => {
  s3 = await startS3(['objects', 'many', 'goes']);
  places = mkdtempSync(join(tmpdir(), 'swiftlet-s3-places-'));
});
after(async () => {
  await s3[Symbol.asyncDispose]();
  rmSync(places, { recursive: true });
});

const settings = (port: number, change: object = {}) =>
  s3SourceSchema.parse({
    kind: 's3',
    address: `http://127.0.0.1:${port}`,
    bucket: 'objects',
    accessKey: s3AccessKey,
    secretKeyVariable: passwordVariable,
    pollMs: 100,
    ...change,
  });
const means = (consumer: string, secret = brokerPassword) => meansOf(secret, { consumer, local: { placesFolder: places, folders: [] } });
const openBucket = (consumer: string, change: object, its: Partial<SourceMeans> = {}): Promise<Source> =>
  sourceKind.driver(settings(s3.port, change), { ...means(consumer), ...its }).open(AbortSignal.timeout(openedWithinMs));
const put = (path: string, body = '1') => askS3(s3.port, 'PUT', path, body);

interface Tale {
  readonly eventName: string;
  readonly s3: { readonly bucket: { readonly name: string }; readonly object: { readonly key: string; readonly size?: number } };
}
const taleOf = (message: Message): Tale => message.record() as unknown as Tale;
const told = (messages: readonly Message[]): string[] =>
  messages.map((message) => `${taleOf(message).eventName} ${taleOf(message).s3.object.key} ${taleOf(message).s3.object.size ?? ''}`.trim());

const placeAt = (prefix: string): Place => {
  const name = prefix.slice(0, -1);
  let sent = 0;
  return {
    // What was sent stands in the object's name.
    driver: (change) =>
      asSent(
        sourceKind.driver(settings(s3.port, { prefix }), { ...means(name), ...change, consumer: `${name}-${change?.consumer ?? ''}` }),
        (message) => Buffer.from(taleOf(message).s3.object.key.split('.')[1] ?? '', 'base64url'),
      ),
    async send(messages) {
      for (const { body } of messages) {
        sent += 1;
        await put(`objects/${prefix}${String(sent).padStart(5, '0')}.${Buffer.from(body).toString('base64url')}`, String(sent));
      }
    },
  };
};

const abilities = {
  isOrdered: true,
  hasPast: true,
  tickMs: 1_000,
  givesBackFirst: true,
  hasLag: true,
  hasStableIds: true,
  hasKeys: false,
  largeBytes: 100,
};

sourceContract('s3', abilities, async () => {
  let count = 0;
  return {
    place: () => Promise.resolve(placeAt(`place${(count += 1)}/`)),
    away: sourceKind.driver(settings(await freePort()), means('away')),
    refused: sourceKind.driver(settings(s3.port), means('refused', 'wrong')),
    missing: sourceKind.driver(settings(s3.port, { bucket: 'nowhere' }), means('missing')),
    kill: () => s3.kill(),
    start: () => s3.start(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
});

describe('a bucket', () => {
  it('tells of objects that are created, overwritten and removed, and of no others', async () => {
    await using source = await openBucket('told', { prefix: 'told/' });
    const step = async () => {
      const messages = await take(source, 1);
      await source.acknowledge(messages);
      return told(messages);
    };
    await put('objects/elsewhere');
    await put('objects/told/a%20b');
    assert.deepEqual(await step(), ['ObjectCreated:Put told/a+b 1']);
    await put('objects/told/a%20b', '12');
    assert.deepEqual(await step(), ['ObjectCreated:Put told/a+b 2']);
    await askS3(s3.port, 'DELETE', 'objects/told/a%20b');
    assert.deepEqual(await step(), ['ObjectRemoved:Delete told/a+b']);
    assert.deepEqual(told(await take(source, 1, {}, quietMs)), []);
  });

  it('of many objects is listed page by page, none left out and none twice, and no more of it held than is wanted', async () => {
    const count = 2_500;
    // The server takes what lies in its folder for objects.
    const folder = join(s3.folder, 'objects', 'many');
    for (let at = 0; at < count; at += 1) writeFileSync(join(folder, `object ${String(at).padStart(5, '0')}`), String(at));
    {
      await using source = await openBucket('many', { bucket: 'many' });
      const messages: Message[] = [];
      while (messages.length < count) {
        const some = await take(source, 50);
        messages.push(...some);
        assert.ok(((await source.lag()) ?? 0) <= mostInTests.messages);
        await source.acknowledge(some);
      }
      assert.equal(new Set(told(messages)).size, count);
      assert.deepEqual(told(await take(source, 1, {}, quietMs)), []);
      rmSync(join(folder, 'object 01700'));
      assert.deepEqual(told(await take(source, 1)), ['ObjectRemoved:Delete object+01700']);
    }
    await using latest = await openBucket('many-latest', { bucket: 'many' }, { start: { kind: 'latest' } });
    assert.deepEqual(told(await take(latest, 1, {}, quietMs)), []);
    writeFileSync(join(folder, 'object 02000b'), 'new');
    assert.deepEqual(told(await take(latest, 1)), ['ObjectCreated:Put object+02000b 3']);
  });

  it('begins anew with another prefix, instead of telling that all was removed', async () => {
    await put('objects/one/a');
    await put('objects/two/a');
    {
      await using source = await openBucket('prefixed', { prefix: 'one/' });
      await source.acknowledge(await take(source, 1));
    }
    await using source = await openBucket('prefixed', { prefix: 'two/' });
    assert.deepEqual(told(await take(source, 2, {}, quietMs)), ['ObjectCreated:Put two/a 1']);
  });

  it('breaks when the bucket is gone, instead of telling that all was removed, and goes on when it is back', async () => {
    await put('goes/a');
    const bucket = join(s3.folder, 'objects', 'goes');
    {
      await using source = await openBucket('goes', { bucket: 'goes' });
      await source.acknowledge(await take(source, 1));
      renameSync(bucket, join(s3.folder, 'gone'));
      await assert.rejects(take(source, 1), { code: 'SourceMissing' });
    }
    renameSync(join(s3.folder, 'gone'), bucket);
    await using source = await openBucket('goes', { bucket: 'goes' });
    assert.deepEqual(told(await take(source, 1, {}, quietMs)), []);
  });

  it('says which key is not let in, and shows no secret', async () => {
    const refused = (error: unknown) => {
      assert.ok(error instanceof SwiftletError);
      assert.equal(error.code, 'SourceRefused');
      assert.match(error.message, /the bucket "objects" at http:.* is not open to this access key/);
      assert.ok(!error.message.includes('a wrong one'));
      return true;
    };
    await assert.rejects(openBucket('no-id', { accessKey: 'nobody' }), refused);
    await assert.rejects(
      sourceKind.driver(settings(s3.port), means('no-key', 'a wrong one')).open(AbortSignal.timeout(openedWithinMs)),
      refused,
    );
  });

  it('tells a stream of NATS by its notifications, which a function gets from there', async () => {
    await using nats = await startNatsStream('BUCKET');
    const url = new URL(nats.origin.servers[0] ?? '');
    const password = nats.environment[nats.origin.passwordVariable] ?? '';
    [url.username, url.password] = [nats.origin.user, password];
    await using notifying = await startS3(['told'], { notify: { url: url.href, subject: 'BUCKET.told' } });
    const driver = jetStreamKind.driver(nats.origin, meansOf('', { secret: () => password }));
    await using source = await driver.open(AbortSignal.timeout(openedWithinMs));
    const next = async (wanted: string): Promise<Tale> => {
      for (;;) {
        const [message] = await take(source, 1);
        assert.ok(message !== undefined, `no ${wanted}`);
        await source.acknowledge([message]);
        // Servers begin with a test event.
        const tale = taleIn(JSON.parse(Buffer.from(message.body).toString()));
        if (tale?.eventName.endsWith(wanted) === true) return tale;
      }
    };
    await askS3(notifying.port, 'PUT', 'told/a', '123');
    const created = await next('ObjectCreated:Put');
    assert.deepEqual([created.s3.bucket.name, created.s3.object.key, created.s3.object.size], ['told', 'a', 3]);
    await askS3(notifying.port, 'DELETE', 'told/a');
    assert.equal((await next('ObjectRemoved:Delete')).s3.object.key, 'a');
  });
});

/** The first notification of a message. */
const taleIn = (parsed: unknown): Tale | undefined => {
  const records = Array.isArray(parsed) ? parsed : (parsed as { Records?: unknown[] }).Records;
  return records?.[0] as Tale | undefined;
};

describe('what answers like a bucket', () => {
  const answering = async (listener: RequestListener) => {
    const server = createServer(listener);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const open = () => sourceKind.driver(settings(port), means(`answers-${port}`)).open(AbortSignal.timeout(openedWithinMs));
    const close = async () => {
      await once(server.close(), 'close');
    };
    return { open, [Symbol.asyncDispose]: close };
  };
  const cases: readonly (readonly [what: string, status: number, body: string, code: string])[] = [
    ['a page of the web', 200, '<html></html>', 'SourceInvalid'],
    ['another address', 301, '<Error><Code>PermanentRedirect</Code></Error>', 'SourceInvalid'],
    ['too many requests', 429, '', 'SourceUnreachable'],
    ['a server that is broken', 503, '<Error><Code>SlowDown</Code></Error>', 'SourceUnreachable'],
  ];
  for (const [what, status, body, code] of cases)
    it(`is told: ${what}`, async () => {
      await using server = await answering((_, response) => response.writeHead(status, { connection: 'close' }).end(body));
      await assert.rejects(server.open(), { code });
    });
});
