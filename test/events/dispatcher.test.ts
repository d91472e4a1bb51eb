/** Events are handed out in their time, in their number, and noted. The log is real, the gateway is the test. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Outcome } from '../../src/events/decide.ts';
import type { Deliver, Delivery } from '../../src/events/deliver.ts';
import { Dispatcher } from '../../src/events/dispatcher.ts';
import { SqliteEventLog } from '../../src/events/sqlite-event-log.ts';
import { functionConfigSchema, type Version } from '../../src/model/function.ts';
import { tempFolder } from '../control/temp-folder.ts';
import { eventually } from '../e2e/functions.ts';
import { eventOf, idOf } from './event-log.contract.ts';

const result = { status: 200, body: 'fine', encoding: 'utf8', isTruncated: false } as const;
const answered: Outcome = { kind: 'answered', result };
const failed: Outcome = { kind: 'failed', error: { code: 'HandlerError', message: 'boom' } };
const unavailable: Outcome = { kind: 'throttled', error: { code: 'Unavailable', message: 'away' } };

function open(t: TestContext, async: object = {}, names: readonly string[] = ['hello'], more: object = {}) {
  let followers = 900;
  const log = new SqliteEventLog(join(tempFolder(t), 'events.sqlite'), {
    maxBytes: Number.POSITIVE_INFINITY,
    now: () => performance.now(),
    committed: () => undefined,
    broken: assert.ifError,
  });
  const versionOf = (name: string): Version => ({
    tenant: 'default',
    function: name,
    number: 1,
    digest: 'a'.repeat(64),
    size: 1,
    config: functionConfigSchema.parse({ async, ...more }),
    createdAt: '2026-01-01T00:00:00.000Z',
  });
  const under = {
    log,
    delivered: [] as Delivery[],
    troubles: [] as unknown[],
    /** Functions whose events followed from others. */
    followed: [] as string[],
    functions: new Map(names.map((name) => [`default/${name}`, versionOf(name)])) as Map<string, Version> | undefined,
    nowMs: 2_000,
    /** How deliveries end. */
    answer: (() => Promise.resolve(answered)) as Deliver,
    stateOf: async (number: number) => (await log.find('default', idOf(number)))?.state,
  };
  const dispatcher = new Dispatcher({
    log,
    deliver: (delivery, signal) => {
      under.delivered.push(delivery);
      return under.answer(delivery, signal);
    },
    functions: () => under.functions,
    now: () => under.nowMs,
    chance: () => 1,
    pass: () => undefined,
    newId: () => idOf((followers += 1)),
    accepted: ({ function: name }) => under.followed.push(name),
    tried: () => undefined,
    settled: () => undefined,
    trouble: (error) => under.troubles.push(error),
  });
  t.after(async () => {
    await dispatcher.stop(AbortSignal.abort());
    await log[Symbol.asyncDispose]();
    assert.deepEqual(under.troubles, []);
  });
  return Object.assign(under, { dispatcher });
}

test('an event is delivered with all that was sent, and has succeeded', async (t) => {
  const under = open(t);
  await under.log.accept(eventOf(1));
  under.dispatcher.wake();
  await eventually(
    () => under.stateOf(1),
    (state) => state === 'succeeded',
  );
  const [delivery] = under.delivered;
  assert.deepEqual([delivery?.id, delivery?.function, delivery?.request], [idOf(1), 'hello', eventOf(1).request]);
  assert.deepEqual(Buffer.from(delivery?.body ?? []), Buffer.from(eventOf(1).body));
});

test('a failing event is tried as often as configured, each time in its time, and ends as a dead letter', async (t) => {
  const under = open(t, { retries: 2, backoffMs: 60_000 });
  under.answer = () => Promise.resolve(failed);
  await under.log.accept(eventOf(1));
  for (const [attempt, pauseMs] of [60_000, 120_000].entries()) {
    under.dispatcher.wake();
    const { dueMs } =
      (await eventually(
        () => under.log.find('default', idOf(1)),
        (event) => event?.attempts === attempt + 1,
      )) ?? assert.fail();
    assert.equal(dueMs, under.nowMs + pauseMs);
    under.nowMs = dueMs;
  }
  under.dispatcher.wake();
  await eventually(
    () => under.stateOf(1),
    (state) => state === 'dead-lettered',
  );
  assert.equal(under.delivered.length, 3);
});

test('no more than the limit are under way, and none waits behind another function', async (t) => {
  const under = open(t, { inFlight: 3 }, ['hello', 'other']);
  const ends: (() => void)[] = [];
  under.answer = () => new Promise((resolve) => ends.push(() => resolve(answered)));
  for (let at = 0; at < 8; at += 1) await under.log.accept(eventOf(at));
  await under.log.accept(eventOf(8, { function: 'other' }));
  under.dispatcher.wake();
  await eventually(
    () => under.delivered.length,
    (length) => length === 4,
  );
  assert.deepEqual(under.delivered.map((delivery) => delivery.function).sort(), ['hello', 'hello', 'hello', 'other']);
  ends[0]?.();
  await eventually(
    () => under.delivered.length,
    (length) => length === 5,
  );
  assert.equal(under.dispatcher.inFlight, 4);
  await eventually(
    () => {
      ends.splice(0).forEach((end) => end());
      return under.delivered.length + under.dispatcher.inFlight;
    },
    (sum) => sum === 9,
  );
});

test('a function that cannot be reached is left alone for a while; no attempt is counted', async (t) => {
  const under = open(t, { retries: 0, inFlight: 2 });
  under.answer = () => Promise.resolve(unavailable);
  for (let at = 0; at < 5; at += 1) await under.log.accept(eventOf(at));
  under.dispatcher.wake();
  await eventually(
    () => under.delivered.length,
    (length) => length === 2,
  );
  await eventually(
    () => under.dispatcher.inFlight,
    (inFlight) => inFlight === 0,
  );
  under.answer = () => Promise.resolve(answered);
  under.nowMs += 199;
  under.dispatcher.wake();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(under.delivered.length, 2);
  under.nowMs += 1;
  under.dispatcher.wake();
  for (let at = 0; at < 5; at += 1)
    await eventually(
      () => under.stateOf(at),
      (state) => state === 'succeeded',
    );
});

test('an event that is too old is not delivered any more', async (t) => {
  const under = open(t, { maximumAgeMs: 1_000, onFailure: 'discard' });
  await under.log.accept(eventOf(1));
  under.nowMs = 3_000;
  under.dispatcher.wake();
  await eventually(
    () => under.stateOf(1),
    (state) => state === 'discarded',
  );
  assert.deepEqual(under.delivered, []);
  assert.equal((await under.log.find('default', idOf(1)))?.error?.code, 'EventExpired');
});

test('what a killed predecessor had under way counts as an attempt, and is delivered again', async (t) => {
  const under = open(t, { backoffMs: 60_000 });
  await under.log.accept(eventOf(1));
  await under.log.lease({ tenant: 'default', function: 'hello', way: 'gateway', limit: 1, nowMs: 2_000, untilMs: 2_000 });
  under.dispatcher.wake();
  const found = await eventually(
    () => under.log.find('default', idOf(1)),
    (event) => event?.attempts === 1,
  );
  assert.deepEqual([found?.state, found?.error?.code], ['waiting', 'DeliveryInterrupted']);
  under.nowMs += 60_000;
  under.dispatcher.wake();
  await eventually(
    () => under.stateOf(1),
    (state) => state === 'succeeded',
  );
});

test('nothing is delivered before it is known what functions there are', async (t) => {
  const under = open(t);
  const { functions } = under;
  under.functions = undefined;
  await under.log.accept(eventOf(1));
  under.dispatcher.wake();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual(under.delivered, []);
  under.functions = functions;
  under.dispatcher.wake();
  await eventually(
    () => under.stateOf(1),
    (state) => state === 'succeeded',
  );
});

test('a stop waits for what is under way, and breaks it off after the grace', async (t) => {
  const under = open(t, { retries: 1 });
  under.answer = (_delivery, signal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(failed));
    });
  await under.log.accept(eventOf(1));
  under.dispatcher.wake();
  await eventually(
    () => under.delivered.length,
    (length) => length === 1,
  );
  await under.log.accept(eventOf(2));
  const startedAt = performance.now();
  const stopped = under.dispatcher.stop(AbortSignal.timeout(50));
  under.dispatcher.wake();
  await stopped;
  assert.ok(performance.now() - startedAt >= 45);
  assert.deepEqual([await under.stateOf(1), await under.stateOf(2)], ['waiting', 'waiting']);
  assert.equal((await under.log.find('default', idOf(1)))?.attempts, 1);
});

test('an end is told to the function’s destination, in one transaction with it', async (t) => {
  const destinations = { success: { kind: 'function', function: 'other' } };
  const under = open(t, {}, ['hello'], { destinations });
  await under.log.accept(eventOf(1));
  under.dispatcher.wake();
  const told = await eventually(
    () => under.delivered.find(({ function: name }) => name === 'other'),
    (delivery) => delivery !== undefined,
  );
  const record = JSON.parse(Buffer.from(told?.body ?? []).toString()) as { requestContext: { requestId: string; condition: string } };
  assert.deepEqual([record.requestContext.requestId, record.requestContext.condition], [idOf(1), 'Success']);
  assert.deepEqual(under.followed, ['other']);
});

test('functions that are each other’s destinations are stopped after 16 of them', async (t) => {
  const under = open(t, {}, ['hello'], { destinations: { success: { kind: 'function', function: 'hello' } } });
  await under.log.accept(eventOf(1));
  under.dispatcher.wake();
  const [dead] = await eventually(
    () => under.log.deadLetters({ tenant: 'default', function: undefined, after: '', limit: 9 }),
    ({ length }) => length > 0,
  );
  assert.equal(under.delivered.length, 17, 'one that came from outside, and sixteen');
  assert.deepEqual([dead?.reason, dead?.error?.code, dead?.attempts], ['recursion', 'RecursionStopped', 0]);
  assert.ok(dead !== undefined && (await under.log.payload('default', dead.id)) !== undefined, 'with what it would have been sent');
  assert.deepEqual(await under.log.lanesDue(Number.MAX_SAFE_INTEGER), []);
});

test('a webhook that hangs holds up no event of its function', async (t) => {
  const destinations = { success: { kind: 'webhook', url: 'https://hooks.test/', secretVariable: 'SECRET' } };
  const under = open(t, { inFlight: 2 }, ['hello'], { destinations, environment: { SECRET: 'x' } });
  under.answer = ({ request }, signal) =>
    request.kind === 'webhook'
      ? new Promise((resolve) => signal.addEventListener('abort', () => resolve(failed)))
      : Promise.resolve(answered);
  for (let at = 0; at < 8; at += 1) await under.log.accept(eventOf(at));
  under.dispatcher.wake();
  for (let at = 0; at < 8; at += 1)
    await eventually(
      () => under.stateOf(at),
      (state) => state === 'succeeded',
    );
  assert.equal(under.delivered.filter(({ request }) => request.kind === 'webhook').length, 2);
});
