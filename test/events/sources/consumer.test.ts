/** A consumer with a source that a test has in its hand: what it asks for, and what it does when something stands in the way. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Outcome } from '../../../src/events/decide.ts';
import type { NewEvent } from '../../../src/events/event-log.ts';
import { SourceConsumer } from '../../../src/events/sources/consumer.ts';
import { Places } from '../../../src/events/sources/places.ts';
import { SwiftletError } from '../../../src/model/errors.ts';
import { type SourceConfig, sourceSchema } from '../../../src/model/source.ts';
import { eventually } from '../../e2e/functions.ts';
import { FakeServer } from './fake-server.ts';

const origin = { kind: 'nats', servers: ['nats://broker:4222'], subject: 'a' } as const;
const fine: Outcome = { kind: 'answered', result: { status: 200, body: '', encoding: 'utf8', isTruncated: false } };
const boom: Outcome = { kind: 'failed', error: { code: 'HandlerError', message: 'boom' } };

interface Under {
  readonly server: FakeServer;
  readonly consumer: SourceConsumer;
  /** Ids of each batch, as it was delivered. */
  readonly batches: string[][];
  readonly dead: NewEvent[];
}

interface Given {
  readonly config?: Partial<SourceConfig>;
  readonly answer?: (ids: string[]) => Promise<Outcome>;
  readonly deadLetter?: (event: NewEvent) => Promise<void>;
  readonly places?: number;
}

/** As a delivery that is given up ends. */
const brokenOff = (signal: AbortSignal): Promise<Outcome> =>
  new Promise((resolve) =>
    signal.addEventListener('abort', () => resolve({ kind: 'failed', error: { code: 'DeliveryInterrupted', message: '' } })),
  );

function consume(t: TestContext, { config = {}, answer = () => Promise.resolve(fine), deadLetter, places = 8 }: Given = {}): Under {
  const server = new FakeServer();
  const batches: string[][] = [];
  const dead: NewEvent[] = [];
  const consumer = new SourceConsumer({
    ref: { tenant: 'default', function: 'orders', source: 'incoming' },
    config: { ...sourceSchema.parse({ origin, backoffMs: 10 }), ...config },
    load: () => Promise.resolve(server.driver),
    limits: () => ({ isServed: true, deliveryMs: 1_000 }),
    deliver({ body }, signal) {
      const { Records: records } = JSON.parse(Buffer.from(body).toString()) as { Records: { messageId: string }[] };
      const ids = records.map(({ messageId }) => messageId);
      batches.push(ids);
      return Promise.race([answer(ids), brokenOff(signal)]);
    },
    deadLetter:
      deadLetter ??
      ((event) => {
        dead.push(event);
        return Promise.resolve();
      }),
    places: new Places(places),
    now: () => Date.now(),
    chance: () => 0,
    counted: () => undefined,
    trouble: () => undefined,
  });
  t.after(() => consumer[Symbol.asyncDispose]());
  return { server, consumer, batches, dead };
}

const acknowledged = (server: FakeServer, count: number) =>
  eventually(
    () => server.acknowledged.length,
    (now) => now >= count,
  );

test('messages are acknowledged when the function has answered, and not before', async (t) => {
  const answers: ((outcome: Outcome) => void)[] = [];
  const { server } = consume(t, { answer: () => new Promise((resolve) => answers.push(resolve)) });
  server.send('a', 'b');
  await eventually(
    () => answers.length,
    (count) => count === 1,
  );
  assert.deepEqual(server.acknowledged, []);
  answers[0]?.(fine);
  await acknowledged(server, 2);
});

test('no more is taken than there is room for, however much there is', async (t) => {
  const { server, consumer } = consume(t, { answer: () => new Promise(() => undefined) });
  server.send(...Array.from({ length: 5_000 }, (_, at) => `m${at}`));
  await eventually(
    () => consumer.held.working,
    (working) => working > 0,
  );
  await eventually(
    () => consumer.held.messages,
    (held) => held === 160,
  );
  assert.equal(server.queue.length, 5_000 - 160);
  assert.equal(await consumer.lag(), 5_000 - 160);
});

test('all sources together have so many batches under way, and the next goes when one has ended', async (t) => {
  const answers: ((outcome: Outcome) => void)[] = [];
  const { server, batches } = consume(t, {
    places: 1,
    config: { batchSize: 1, concurrency: 4 },
    answer: () => new Promise((resolve) => answers.push(resolve)),
  });
  server.send('a', 'b');
  await eventually(
    () => batches.length,
    (count) => count === 1,
  );
  answers[0]?.(fine);
  await eventually(
    () => batches.length,
    (count) => count === 2,
  );
  assert.deepEqual(batches, [['a'], ['b']]);
});

test('a message without an attempt left is stored before it is acknowledged, the others are dealt with', async (t) => {
  const { server, dead, batches } = consume(t, {
    config: { attempts: 3 },
    answer: (ids) => Promise.resolve(ids.includes('poison') ? boom : fine),
    deadLetter: (event) => {
      assert.ok(!server.acknowledged.includes('poison'));
      dead.push(event);
      return Promise.resolve();
    },
  });
  server.send('a', 'b', 'poison', 'c');
  await acknowledged(server, 4);
  assert.deepEqual(
    dead.map(({ end }) => end?.attempts),
    [3],
  );
  assert.deepEqual(batches[0], ['a', 'b', 'poison', 'c']);
  assert.ok(
    batches.some((ids) => ids.join() === 'poison'),
    'the last attempt is made alone',
  );
});

test('a dead letter that cannot be stored is held, and said', async (t) => {
  const full = new SwiftletError('StorageFull', 'the event log is full');
  const { server, consumer } = consume(t, {
    config: { attempts: 1 },
    answer: () => Promise.resolve(boom),
    deadLetter: () => Promise.reject(full),
  });
  server.send('poison');
  const state = await eventually(
    () => consumer.state,
    (now) => now.kind === 'running' && now.error !== undefined,
  );
  assert.ok(state.kind === 'running' && state.error?.message.includes('the event log is full'));
  assert.deepEqual(server.acknowledged, []);
});

test('a function that cannot be reached costs no attempt', async (t) => {
  let times = 0;
  const full: Outcome = { kind: 'throttled', error: { code: 'QueueFull', message: 'too many wait' } };
  const { server, dead } = consume(t, { config: { attempts: 1 }, answer: () => Promise.resolve((times += 1) < 3 ? full : fine) });
  server.send('a');
  await acknowledged(server, 1);
  assert.deepEqual(dead, []);
});

test('a source that cannot be opened is tried again, and says why', async (t) => {
  const { server, consumer } = consume(t);
  server.refusal = new SwiftletError('SourceRefused', 'a wrong password');
  server.break(new SwiftletError('SourceUnreachable', 'gone'));
  const state = await eventually(
    () => consumer.state,
    (now) => now.kind === 'broken' && now.error.code === 'SourceRefused',
  );
  assert.ok(state.kind === 'broken' && state.retryAtMs > 0);
  server.refusal = undefined;
  server.send('a');
  await acknowledged(server, 1);
  assert.equal(consumer.state.kind, 'running');
});

test('while it is being opened it says so, with what it broke with before', async (t) => {
  const { server, consumer } = consume(t);
  await eventually(
    () => consumer.state,
    ({ kind }) => kind === 'running',
  );
  const opens = Promise.withResolvers<undefined>();
  server.opens = opens.promise;
  server.break(new SwiftletError('SourceUnreachable', 'gone'));
  const connecting = await eventually(
    () => consumer.state,
    ({ kind }) => kind === 'connecting',
  );
  assert.deepEqual(connecting, { kind: 'connecting', error: { code: 'SourceUnreachable', message: 'gone' } });
  opens.resolve(undefined);
  const running = await eventually(
    () => consumer.state,
    ({ kind }) => kind === 'running',
  );
  assert.deepEqual(running, { kind: 'running' });
});

test('what was being worked on when the connection broke is not done twice', async (t) => {
  const answers: ((outcome: Outcome) => void)[] = [];
  const { server, batches } = consume(t, { answer: () => new Promise((resolve) => answers.push(resolve)) });
  server.send('a');
  await eventually(
    () => answers.length,
    (count) => count === 1,
  );
  server.break(new SwiftletError('SourceUnreachable', 'gone'));
  await eventually(
    () => server.opened,
    (count) => count === 2,
  );
  await eventually(
    () => server.out.size,
    (size) => size === 1,
  );
  answers[0]?.(fine);
  await acknowledged(server, 1);
  assert.deepEqual(batches, [['a']]);
  assert.deepEqual(server.acknowledged, ['a']);
});

test('what ended while there was no connection is only acknowledged when it comes again', async (t) => {
  const answers: ((outcome: Outcome) => void)[] = [];
  const { server, batches } = consume(t, { answer: () => new Promise((resolve) => answers.push(resolve)) });
  server.send('a');
  await eventually(
    () => answers.length,
    (count) => count === 1,
  );
  server.refusal = new SwiftletError('SourceUnreachable', 'away');
  server.break(new SwiftletError('SourceUnreachable', 'gone'));
  await eventually(
    () => server.opened,
    (count) => count === 2,
  );
  answers[0]?.(fine);
  server.refusal = undefined;
  await acknowledged(server, 1);
  assert.deepEqual([batches, server.acknowledged], [[['a']], ['a']]);
});

/** Longer than everything else takes, however busy the machine is. */
const backoffMs = 500;

/** Which messages the function dealt with, in their order, when the first attempt of some fails. */
async function dealtWith(t: TestContext, config: Partial<SourceConfig>, failing: readonly string[], ...sent: string[]): Promise<string[]> {
  const dealt: string[] = [];
  const failed = new Set<string>();
  const { server } = consume(t, {
    config,
    answer: (ids) => {
      const fails = ids.filter((id) => failing.includes(id) && !failed.has(id));
      for (const id of fails) failed.add(id);
      dealt.push(...ids.filter((id) => !fails.includes(id)));
      const body = JSON.stringify({ batchItemFailures: fails.map((itemIdentifier) => ({ itemIdentifier })) });
      return Promise.resolve({ ...fine, result: { status: 200, body, encoding: 'utf8', isTruncated: false } });
    },
  });
  server.send(...sent);
  await acknowledged(server, sent.length);
  return dealt;
}

test('in no order, a message that fails holds up nobody', async (t) => {
  const dealt = await dealtWith(t, { batchSize: 1, backoffMs }, ['a1'], 'a1', 'a2', 'b1');
  assert.deepEqual(dealt, ['a2', 'b1', 'a1']);
});

test('in the order of keys, it holds up those of its key', async (t) => {
  const dealt = await dealtWith(t, { batchSize: 1, backoffMs, order: 'key', concurrency: 2 }, ['a1'], 'a1', 'a2', 'b1', 'b2');
  assert.deepEqual(dealt, ['b1', 'b2', 'a1', 'a2']);
});

test('in the order of a partition, it holds up all behind it; those that went with it come again after it', async (t) => {
  const dealt = await dealtWith(t, { batchSize: 3, order: 'partition' }, ['a2'], 'a1', 'a2', 'b1', 'b2');
  assert.deepEqual(dealt, ['a1', 'b1', 'a2', 'b1', 'b2']);
});

test('a stop waits for what is being worked on, acknowledges it, and gives back the rest', async (t) => {
  const answers: ((outcome: Outcome) => void)[] = [];
  const { server, consumer } = consume(t, { config: { batchSize: 1 }, answer: () => new Promise((resolve) => answers.push(resolve)) });
  server.send('a', 'b');
  await eventually(
    () => answers.length,
    (count) => count === 1,
  );
  const stopped = consumer.stop(new AbortController().signal);
  answers[0]?.(fine);
  await stopped;
  assert.deepEqual(server.acknowledged, ['a']);
  assert.deepEqual([server.queue.map(({ id }) => id), server.closed], [['b'], 1]);
});

test('after the grace what is being worked on is broken off, and not acknowledged', async (t) => {
  const grace = new AbortController();
  const { server, consumer } = consume(t, {
    answer: () => new Promise(() => undefined),
  });
  server.send('a');
  await eventually(
    () => consumer.held.working,
    (working) => working === 1,
  );
  const stopped = consumer.stop(grace.signal);
  grace.abort();
  await stopped;
  assert.deepEqual([server.acknowledged, server.closed], [[], 1]);
});
