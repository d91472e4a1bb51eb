/** Sources on a real platform: messages of NATS through functions, what fails, what stands in the way, and what an operator sees of it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { maxBodyBytes } from '../../src/model/limits.ts';
import type { SourceView } from '../../src/wire/source-calls.ts';
import { brokerPassword } from '../brokers/broker.ts';
import { type NatsStream, startNatsStream } from '../brokers/nats-stream.ts';
import { startRedis, withRedis } from '../brokers/redis.ts';
import { type E2e, eventually, openE2e } from './functions.ts';

/** Keeps what it saw in its memory, and shows it to who asks. */
const remembers = `
  const seen = [];
  export const handler = (event) => {
    if (event.Records === undefined) return seen;
    const failed = event.Records.filter(({ body }) => body.includes('poison'));
    if (event.Records.some(({ body }) => body.includes('thrown'))) throw new Error('boom');
    seen.push(...event.Records.map(({ body, eventSource, messageAttributes, attributes }) => ({ body, eventSource, messageAttributes, attributes, together: event.Records.length })));
    return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };`;

let broker: NatsStream;
let e2e: E2e;
before(async () => {
  [broker, e2e] = await Promise.all([startNatsStream(), openE2e()]);
});
after(async () => {
  await e2e[Symbol.asyncDispose]();
  await broker[Symbol.asyncDispose]();
});

const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const swiftlet = async (...args: string[]): Promise<string> => {
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl };
  return (await promisify(execFile)(process.execPath, [cli, ...args], { env })).stdout;
};
const control = async (path: string, method = 'GET'): Promise<Record<string, unknown>> => {
  const response = await fetch(`${e2e.platform.apiUrl}${path}`, { method, headers: { authorization: `Bearer ${e2e.platform.token}` } });
  return (await response.json()) as Record<string, unknown>;
};
const viewOf = async (name: string) => (await control(`/v1/functions/${name}/sources/incoming`)) as unknown as SourceView;
const state = (name: string, wanted: SourceView['state']) =>
  eventually(
    () => viewOf(name),
    (view) => view.state === wanted,
  );

interface Seen {
  readonly body: string;
  readonly eventSource: string;
  readonly together: number;
  readonly messageAttributes: Record<string, unknown>;
  readonly attributes: Record<string, string>;
}
const seenBy = async (name: string): Promise<Seen[]> =>
  JSON.parse(
    await (
      await fetch(`${e2e.platform.gatewayUrl}/_/invoke/${name}`, {
        method: 'POST',
        body: '{}',
        headers: { authorization: `Bearer ${e2e.platform.token}` },
      })
    ).text(),
  ) as Seen[];
const bodiesSeen = (name: string, holds: (bodies: string[]) => boolean) =>
  eventually(async () => (await seenBy(name)).map(({ body }) => body), holds, 15_000);

/** A function with one instance, and a stream of its own. */
async function consumes(name: string, source: object = {}, origin: object = {}): Promise<(...bodies: string[]) => Promise<void>> {
  const stream = name.toUpperCase();
  await (await jetstreamManager(broker.client)).streams.add({ name: stream, subjects: [`${stream}.>`] });
  const incoming = { origin: { ...broker.origin, stream, ...origin }, backoffMs: 50, ...source };
  await e2e.publish(name, remembers, { environment: broker.environment, maximum: 1, sources: { incoming } });
  return async (...bodies) => {
    for (const body of bodies) await jetstream(broker.client).publish(`${stream}.new`, body);
  };
}

test('messages become invocations in batches, and start an instance', async () => {
  const send = await consumes('batches', { batchSize: 3, batchWindowMs: 60_000 });
  await send('{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}');
  await bodiesSeen('batches', (bodies) => bodies.length === 3);
  const [first] = await seenBy('batches');
  assert.deepEqual(
    [first?.body, first?.eventSource, first?.together, first?.attributes['Subject']],
    ['{"n":1}', 'swiftlet:jetstream', 3, 'BATCHES.new'],
  );
  const view = await viewOf('batches');
  assert.deepEqual([view.state, view.kind, view.held, view.working, view.lag], ['running', 'jetstream', 1, 0, 0]);
});

test('a function scales by the messages that wait for it, and says so', async () => {
  const stream = 'WAITING';
  await (await jetstreamManager(broker.client)).streams.add({ name: stream, subjects: [`${stream}.>`] });
  for (let sent = 0; sent < 40; sent++) await jetstream(broker.client).publish(`${stream}.new`, 'x');
  // One after the other, and each takes a second: nobody waits for a second instance.
  await e2e.publish('waiting', 'export const handler = () => new Promise((resolve) => setTimeout(resolve, 1_000));', {
    environment: broker.environment,
    sources: { incoming: { origin: { ...broker.origin, stream }, batchSize: 1 } },
    scale: { thresholds: { lag: 10 } },
  });
  const { scaling } = await eventually(
    () => control('/v1/functions/waiting'),
    ({ instances }) => (instances as unknown[]).length >= 4,
  );
  assert.equal((scaling as { signal: string }[])[0]?.signal, 'lag');
  assert.match(await swiftlet('describe', 'waiting'), /messages \((?:stable|burst) window\), 7\.00 for each instance/);
  await e2e.platform.api.remove('waiting');
});

test('what is not wanted by the filters is passed over', async () => {
  const send = await consumes('filtered', { filters: [{ body: { kind: ['order'], price: [{ numeric: ['>', 10] }] } }] });
  await send('{"kind":"order","price":5}', 'no JSON', '{"kind":"order","price":11}');
  const bodies = await bodiesSeen('filtered', (seen) => seen.length > 0);
  assert.deepEqual(bodies, ['{"kind":"order","price":11}']);
  const metrics = await e2e.platform.api.metrics('events');
  assert.match(metrics, /swiftlet_source_messages_total\{tenant="default",function="filtered",source="incoming",outcome="filtered"\} 2/);
  assert.match(metrics, /swiftlet_source_lag\{tenant="default",function="filtered",source="incoming"\} 0/);
});

test('a poison message becomes a dead letter with its bytes, alone; it can be redriven', async () => {
  const send = await consumes('poisoned', { batchSize: 10, batchWindowMs: 300, attempts: 2 });
  await send('good 1', 'poison é', 'good 2', 'thrown', 'good 3');
  const bodies = await bodiesSeen('poisoned', (seen) => ['good 1', 'good 2', 'good 3'].every((one) => seen.includes(one)));
  assert.ok(!bodies.includes('thrown'));
  const dead = await eventually(
    () => control('/v1/dead-letters?function=poisoned'),
    ({ events }) => (events as unknown[]).length === 2,
  );
  const letters = await Promise.all((dead['events'] as { id: string }[]).map(({ id }) => control(`/v1/dead-letters/${id}`)));
  const records = letters.map(
    ({ body }) => (JSON.parse(Buffer.from(String(body), 'base64').toString()) as { Records: { body: string }[] }).Records,
  );
  assert.deepEqual(records.map((one) => one.map(({ body }) => body).join()).sort(), ['poison é', 'thrown']);
  const errors = letters.map(({ event }) => event as { attempts: number; error: { message: string } });
  assert.deepEqual(
    errors.map(({ attempts }) => attempts),
    [2, 2],
  );
  // Delivered anew it fails again: what names its only message as failed has not dealt with it.
  await swiftlet('dlq', 'redrive', '--function', 'poisoned');
  const again = await eventually(
    () => control('/v1/dead-letters?function=poisoned'),
    ({ events }) => (events as unknown[]).length === 0,
  );
  assert.deepEqual(again['events'], []);
  const { id } = (dead['events'] as { id: string }[])[0] ?? { id: '' };
  const event = await eventually(
    () => control(`/v1/events/${id}`),
    (one) => Number(one['attempts']) > 0,
  );
  assert.equal(event['state'], 'waiting');
});

test('a message that no request can hold is a dead letter with its bytes, and the next one is delivered', async () => {
  await using redis = await startRedis();
  const origin = {
    kind: 'redis',
    address: `redis://127.0.0.1:${redis.port}`,
    passwordVariable: 'REDIS_PASSWORD',
    stream: 'large',
  } as const;
  await e2e.publish('large', remembers, { environment: { REDIS_PASSWORD: brokerPassword }, sources: { incoming: { origin } } });
  await withRedis(redis.port, async (client) => {
    for (const data of ['x'.repeat(maxBodyBytes), 'small']) await client.sendCommand(['XADD', 'large', '*', 'data', data]);
  });
  assert.deepEqual(await bodiesSeen('large', (bodies) => bodies.length > 0), ['small']);
  const { events } = await eventually(
    () => control('/v1/dead-letters?function=large'),
    (answer) => (answer['events'] as unknown[]).length === 1,
  );
  const [{ id, error } = assert.fail()] = events as { id: string; error: { code: string } }[];
  assert.equal(error.code, 'RequestTooLarge');
  const { body } = await control(`/v1/dead-letters/${id}`);
  assert.ok(Buffer.from(String(body), 'base64').length > maxBodyBytes);
});

test('a source is paused and resumed by the command line, and is seen by describe', async () => {
  const send = await consumes('paused');
  await state('paused', 'running');
  assert.match(await swiftlet('source', 'pause', 'paused', 'incoming'), /is paused/);
  await send('while paused');
  assert.match(await swiftlet('source', 'list', 'paused'), /incoming +jetstream +paused/);
  assert.match(await swiftlet('describe', 'paused'), /incoming +jetstream +paused/);
  const described = await swiftlet('source', 'describe', 'paused', 'incoming');
  assert.match(described, /stream +PAUSED/);
  assert.ok(!described.includes('a password'));
  // It stays so over a deploy.
  await e2e.publish('paused', `${remembers}\n// changed`, {
    environment: broker.environment,
    maximum: 1,
    sources: { incoming: { origin: { ...broker.origin, stream: 'PAUSED' } } },
  });
  assert.equal((await viewOf('paused')).state, 'paused');
  await swiftlet('source', 'resume', 'paused', 'incoming');
  assert.deepEqual(await bodiesSeen('paused', (bodies) => bodies.length > 0), ['while paused']);
  await assert.rejects(swiftlet('source', 'pause', 'paused', 'other'), /has no source/);
});

test('what stands in a source’s way is told with its remedy, and the platform is unharmed', async () => {
  await consumes('refused', {}, { passwordVariable: 'WRONG_PASSWORD' }).catch((error: unknown) => {
    assert.match(String(error), /WRONG_PASSWORD/);
  });
  const settings = { environment: { ...broker.environment, WRONG_PASSWORD: 'wrong' }, maximum: 1 };
  const publish = (name: string, origin: object) =>
    e2e.publish(name, remembers, { ...settings, sources: { incoming: { origin: { ...broker.origin, ...origin } } } });
  await publish('refused', { passwordVariable: 'WRONG_PASSWORD' });
  await publish('missing', { stream: 'NOT-THERE' });
  await publish('away', { servers: ['nats://127.0.0.1:1'] });
  const codes = await Promise.all(['refused', 'missing', 'away'].map(async (name) => (await state(name, 'broken')).error?.code));
  assert.deepEqual(codes, ['SourceRefused', 'SourceMissing', 'SourceUnreachable']);
  const text = await swiftlet('source', 'list');
  assert.ok(text.includes('no stream NOT-THERE'));
  assert.ok(!text.includes('wrong'));
  const events = (await control('/healthz')) as { roles: { events: { ready: boolean } } };
  assert.equal(events.roles.events.ready, true);
});

test('a server that goes away is waited for', async () => {
  const send = await consumes('waits');
  await send('before');
  await bodiesSeen('waits', (bodies) => bodies.length === 1);
  await broker.kill();
  const broken = await state('waits', 'broken');
  assert.equal(broken.error?.code, 'SourceUnreachable');
  await broker.start();
  await send('after');
  await bodiesSeen('waits', (bodies) => bodies.includes('after'));
});

test('how an event ended is sent to a queue', async () => {
  await (await jetstreamManager(broker.client)).streams.add({ name: 'ENDS', subjects: ['ends.>'] });
  const { servers, user, passwordVariable } = broker.origin;
  const to = (subject: string) => ({ kind: 'queue', to: { kind: 'jetstream', servers, user, passwordVariable, subject } }) as const;
  await e2e.publish('told', 'export const handler = ({ fails }) => { if (fails) throw new Error("boom"); return "fine"; };', {
    environment: broker.environment,
    async: { retries: 0 },
    destinations: { success: to('ends.good'), failure: to('ends.bad') },
  });
  await e2e.publish('hears', remembers, {
    environment: broker.environment,
    maximum: 1,
    sources: { incoming: { origin: { ...broker.origin, stream: 'ENDS' } } },
  });
  for (const fails of [true, false]) await swiftlet('invoke', 'told', '--async', '--data', JSON.stringify({ fails }));
  const heard = (await bodiesSeen('hears', (bodies) => bodies.length === 2)).map(
    (body) => JSON.parse(body) as { requestContext: { condition: string } },
  );
  assert.deepEqual(heard.map(({ requestContext }) => requestContext.condition).sort(), ['RetriesExhausted', 'Success']);
});
