/** What is reported of requests that waited for the same start. */
import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { Exchange } from '../../src/gateway/request/exchange.ts';
import { FunctionGuard } from '../../src/gateway/protection/function-guard.ts';
import { FunctionFigures } from '../../src/gateway/figures/metrics.ts';
import { Reports } from '../../src/gateway/figures/reports.ts';
import { ServedVersion } from '../../src/gateway/instances/served-version.ts';
import { TenantMeter } from '../../src/gateway/protection/tenant-meter.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { frame, invokeKind } from '../../src/wire/instance-protocol.ts';
import { appendSchema, traceSchema } from '../../src/wire/relay-calls.ts';
import { acquired, done, GatewayUnderTest, startedFor, version } from './starting-instance.ts';

test('two wait for one start: both say which request caused it, one pays, and both are counted', async () => {
  await using tested = new GatewayUnderTest({ concurrency: 2 });
  const { instance, response: first, asked } = await startedFor(tested);
  const invoked = await instance.frames.take();
  const second = tested.call();
  await tested.inFlight(2);
  assert.equal(tested.asked.length, 0, 'the second needs no instance of its own');
  asked.resolve({ ...acquired(asked, instance), slots: 2 });
  const joined = await instance.frames.take();
  for (const { stream } of [invoked, joined]) {
    instance.send(frame.head, stream, JSON.stringify([200, []]));
    instance.send(frame.done, stream, done(5));
  }
  const ids = (await Promise.all([first, second])).map(({ headers }) => headers.get('x-swiftlet-request-id'));
  await tested.atRest();
  const sent = tested.reported();
  const reports = sent.logged.map((line) => traceSchema.parse(JSON.parse(line)));
  assert.deepEqual(
    reports.map(({ requestId, report }) => [requestId, report.start, report.coldStart?.causedBy, report.billedMs, report.platformMs]),
    [
      [ids[0], 'cold', ids[0], 12, 3],
      [ids[1], 'cold', ids[0], 5, 0],
    ],
  );
  const [one, other] = reports.map(({ report }) => report);
  assert.deepEqual(
    one?.coldStart?.spans.map(({ phase, ms }) => `${phase} ${ms}`),
    ['sandbox 3', 'init 7'],
  );
  assert.ok(
    Number(other?.coldStart?.spans[0]?.atMs) < Number(one.coldStart.spans[0]?.atMs),
    'it came later, so that the start lies further back',
  );
  assert.deepEqual(sent.usage, {
    day: '',
    warm: 0,
    thawed: 0,
    awakened: 0,
    provisioned: 0,
    cold: 2,
    billedMs: 17,
    mebibyteMs: 17 * 128,
    platformMs: 3,
    prepaidMs: 40,
  });
  assert.deepEqual(sent.kept, sent.logged, 'cold starts outlast the log');
});

test('an agent whose word comes after the handler’s end moves the start back to where it was', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  const cameAt = performance.now();
  const { stream } = await instance.frames.take();
  instance.send(frame.begun, 0);
  instance.answer(stream, 'done', 15);
  while (performance.now() - cameAt < 40) await new Promise(setImmediate);
  asked.resolve(acquired(asked, instance));
  const told = (await response).headers.get('server-timing') ?? '';
  await tested.atRest();
  const [line = ''] = tested.reported().logged;
  const { report } = traceSchema.parse(JSON.parse(line));
  const startsAt = report.coldStart?.spans[0]?.atMs ?? Infinity;
  assert.ok(Math.abs(report.queueMs - startsAt) < 0.01, 'the start lies right behind the queue');
  assert.ok(report.queueMs + 10 + 15 <= report.totalMs + 0.01, JSON.stringify(report));
  assert.match(told, new RegExp(`^queue;dur=${report.queueMs.toFixed(3)}`));
});

test('of two that each need an instance, each caused one start', async () => {
  await using tested = new GatewayUnderTest();
  const responses = [tested.call()];
  const asked = [await tested.asked.take()];
  responses.push(tested.call());
  asked.push(await tested.asked.take());
  for (const each of asked) {
    const instance = tested.instance();
    each.resolve(acquired(each, instance));
    instance.answer((await instance.frames.take()).stream, '');
  }
  const ids = (await Promise.all(responses)).map(({ headers }) => headers.get('x-swiftlet-request-id'));
  await tested.atRest();
  const starts = tested.reported().logged.map((line) => traceSchema.parse(JSON.parse(line)).report.coldStart);
  assert.deepEqual(
    starts.map((start) => start?.causedBy),
    ids,
  );
});

test('a warm request pays for its handler only', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  asked.resolve(acquired(asked, instance));
  instance.answer((await instance.frames.take()).stream, 'cold');
  assert.equal((await response).status, 200);
  const again = tested.call();
  const { stream } = await instance.frames.take();
  instance.send(frame.head, stream, JSON.stringify([200, []]));
  instance.send(frame.done, stream, done(2.5));
  assert.equal((await again).headers.get('server-timing')?.includes('prepaid'), false);
  await tested.atRest();
  const { logged, usage } = tested.reported();
  const { report } = traceSchema.parse(JSON.parse(logged[1] ?? ''));
  assert.deepEqual([report.start, report.billedMs, report.platformMs, report.coldStart], ['warm', 3, 0, undefined]);
  assert.deepEqual([usage.warm, usage.cold], [1, 1]);
});

test('what was prepaid is in Server-Timing, apart from what was waited for', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  asked.resolve(acquired(asked, instance));
  instance.answer((await instance.frames.take()).stream, '');
  assert.match(
    (await response).headers.get('server-timing') ?? '',
    /sandbox;dur=[\d.]+, .*init;dur=[\d.]+, handler;dur=[\d.]+, prepaid;dur=40\.000$/,
  );
});

test('a request that no instance took is no invocation', async () => {
  await using tested = new GatewayUnderTest();
  const { response, asked } = await startedFor(tested);
  asked.reject(new SwiftletError('InitError', 'it threw'));
  assert.equal((await response).status, 502);
  const { logged, usage } = tested.reported();
  assert.equal(usage.warm + usage.cold, 0);
  const { report } = traceSchema.parse(JSON.parse(logged[0] ?? ''));
  assert.deepEqual([report.start, report.billedMs], ['cold', 0], 'it waited for an instance, and has nothing to pay');
  assert.ok(report.queueMs > 0 && report.queueMs <= report.totalMs, 'all its time was waiting');
});

test('a relay that is away: what its log cannot take is dropped, and counted all the same', () => {
  const sent: { method: string; body: object; text: string }[] = [];
  const relay = {
    connected: false,
    ask: () => Promise.resolve(null),
    notify: () => undefined,
    notifyText: (method: string, body: object, text: Buffer) => sent.push({ method, body, text: text.toString() }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  using reports = new Reports(relay);
  const figures = new FunctionFigures(version);
  const served = new ServedVersion(version, 'default/f', figures, new TenantMeter('default'), new FunctionGuard());
  const request = new IncomingMessage(new Socket());
  const exchange = new Exchange(request, new ServerResponse(request), 'an-id', served, invokeKind.http, '/', '::1', 0, 0, 0);
  Object.assign(exchange, { state: 'settled', dispatchedAt: 1, handlerMs: 2 });
  const count = 40_000;
  for (let each = 0; each < count; each++) reports.record(exchange, 'ok', 4);
  assert.ok(reports.dropped > 0);
  relay.connected = true;
  reports.flush();
  const [batch] = sent;
  assert.equal(batch?.text.split('\n').filter(Boolean).length, count - reports.dropped);
  const { usage } = appendSchema.parse({ ...batch.body, text: '' });
  assert.deepEqual([usage?.warm, usage?.billedMs, usage?.mebibyteMs], [count, 2 * count, 2 * count * 128]);
  const kept = sent.slice(1).map(({ method, text }) => `${method} ${text.split('\n').length - 1}`);
  assert.deepEqual(kept, ['keep 100']);
});
