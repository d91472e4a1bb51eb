import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Exchange } from '../../src/gateway/request/exchange.ts';
import { FunctionGuard } from '../../src/gateway/protection/function-guard.ts';
import type { LinkEvents } from '../../src/gateway/instances/instance-link.ts';
import { FunctionFigures } from '../../src/gateway/figures/metrics.ts';
import { ServedVersion } from '../../src/gateway/instances/served-version.ts';
import { Agents } from '../../src/gateway/instances/agents.ts';
import { type StartEvents, Starts } from '../../src/gateway/instances/starts.ts';
import { TenantMeter } from '../../src/gateway/protection/tenant-meter.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { noLabels } from '../../src/model/groups.ts';
import type { CallClient } from '../../src/wire/calls.ts';
import { frame } from '../../src/wire/instance-protocol.ts';
import { acquired, GatewayUnderTest, problemCode, startedFor, version } from './starting-instance.ts';

const agentGone = new SwiftletError('Unavailable', 'the connection broke before the answer came');
const body = 'x'.repeat(100_000);

test('a request is sent ahead, and its answer waits for what the agent says of the start', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  const invoke = await instance.frames.take();
  assert.equal(invoke.type, frame.invoke);
  instance.send(frame.begun, 0);
  instance.answer(invoke.stream, 'hello');
  await new Promise(setImmediate);
  asked.resolve(acquired(asked, instance));
  const { status, headers } = await response;
  assert.deepEqual([status, headers.get('x-swiftlet-start'), await (await response).text()], [200, 'cold', 'hello']);
  assert.match(headers.get('server-timing') ?? '', /init;dur=\d/);
});

test('an agent that dies in the middle of a start: what never began is asked for again, with its whole body', async () => {
  await using tested = new GatewayUnderTest();
  const { instance: first, response, asked } = await startedFor(tested, { method: 'POST', body });
  const second = tested.instance();
  await bodyAt(first);
  asked.reject(agentGone);
  first.end();
  const again = await tested.asked.take();
  again.resolve(acquired(again, second));
  const { stream, received } = await bodyAt(second);
  assert.equal(received, body);
  second.answer(stream, 'once');
  assert.equal(await (await response).text(), 'once');
});

test('an agent that dies in the middle of a start: what has begun goes on', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  const { stream } = await instance.frames.take();
  asked.reject(agentGone);
  instance.send(frame.begun, 0);
  instance.answer(stream, 'alone');
  assert.equal(await (await response).text(), 'alone');
  assert.deepEqual(tested.gateway.holds, [asked.order.instanceId]);
});

test('an agent and an instance that both die: what has begun is not begun again', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  await instance.frames.take();
  instance.send(frame.begun, 0);
  await new Promise(setImmediate);
  instance.end();
  asked.reject(agentGone);
  const { status, headers } = await response;
  assert.deepEqual([status, headers.get('content-type')], [502, 'application/problem+json']);
  assert.equal(tested.asked.length, 0);
});

test('an instance that is left alone by its agent and never begins is waited for as long as an init may take', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  await instance.frames.take();
  asked.reject(agentGone);
  assert.equal(await problemCode(response), 'InitTimeout');
  assert.equal(tested.gateway.counts.inFlight, 0);
});

test('an init that fails is the answer of what was sent ahead', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  await instance.frames.take();
  asked.reject(new SwiftletError('InitError', 'it threw'));
  assert.equal(await problemCode(response), 'InitError');
  assert.equal(tested.gateway.counts.inFlight, 0);
});

test('a caller that hangs up before its instance is there frees its slot', async () => {
  await using tested = new GatewayUnderTest();
  const aborter = new AbortController();
  const { instance, response, asked } = await startedFor(tested, { signal: aborter.signal });
  const { stream } = await instance.frames.take();
  aborter.abort();
  await assert.rejects(response);
  assert.equal((await instance.frames.take()).type, frame.cancel);
  instance.send(frame.done, stream, Buffer.alloc(8));
  asked.resolve(acquired(asked, instance));
  const next = tested.call();
  const invoke = await instance.frames.take();
  instance.answer(invoke.stream, 'next');
  assert.equal(await (await next).text(), 'next');
});

test('one more than may wait is refused, with what is known of it, and counted for its function', async () => {
  await using tested = new GatewayUnderTest({ queueLength: 1 });
  const { instance, response, asked } = await startedFor(tested);
  const { status, headers } = await tested.call();
  assert.deepEqual(
    [status, ...['error', 'version', 'start'].map((name) => headers.get(`x-swiftlet-${name}`)), headers.get('retry-after')],
    [503, 'QueueFull', '1', 'none', '1'],
  );
  assert.match(headers.get('server-timing') ?? '', /^queue;dur=0, sandbox;dur=0, .*handler;dur=0$/);
  assert.match(headers.get('x-swiftlet-request-id') ?? '', /^[\da-f-]{36}$/);
  assert.match(await tested.metrics.text(), /^swiftlet_requests_total\{tenant="default",function="f",outcome="QueueFull"\} 1$/m);
  asked.resolve(acquired(asked, instance));
  instance.answer((await instance.frames.take()).stream, 'first');
  assert.equal(await (await response).text(), 'first');
});

test('who waits is served in his turn, and once; who hangs up has left the queue', async () => {
  await using tested = new GatewayUnderTest({ maximum: 1 });
  const instance = tested.instance();
  const first = tested.call();
  const asked = await tested.asked.take();
  asked.resolve(acquired(asked, instance));
  const { stream: firstStream } = await instance.frames.take();
  const gone = new AbortController();
  const call = async (name: string, signal: AbortSignal | null, place: number) => {
    const response = tested.call({ headers: { 'x-name': name }, signal });
    await tested.inFlight(place);
    return { response };
  };
  const a = await call('a', null, 2);
  const b = await call('b', gone.signal, 3);
  const c = await call('c', null, 4);
  gone.abort();
  await assert.rejects(b.response);
  while (tested.gateway.counts.waiting > 2) await new Promise(setImmediate);
  instance.answer(firstStream, 'first');
  for (const name of ['a', 'c']) {
    const { stream, payload } = await instance.frames.take();
    assert.ok(payload.toString().includes(`"${name}"`), name);
    instance.answer(stream, name);
  }
  const texts = await Promise.all([first, a.response, c.response].map(async (response) => (await response).text()));
  assert.deepEqual(texts, ['first', 'a', 'c']);
  assert.equal(tested.asked.length, 0);
  const waitedMs = Number(/^queue;dur=([\d.]+)/.exec((await a.response).headers.get('server-timing') ?? '')?.[1]);
  const metrics = await tested.metrics.text();
  const waits = /^swiftlet_queue_wait_seconds_sum\{tenant="default",function="f"\} ([\d.e-]+)$/m.exec(metrics)?.[1];
  assert.ok(waitedMs > 0 && Number(waits) * 1_000 >= waitedMs, `${waitedMs} ms, ${waits} s in the metrics`);
  assert.match(metrics, /^swiftlet_queue_wait_seconds_count\{tenant="default",function="f"\} 4$/m);
});

test('nobody is started for who has a place before an instance could be there; who still waits then gets one', async () => {
  let asked = 0;
  const askedTwice = Promise.withResolvers<undefined>();
  const agent = {
    ask: () => {
      asked += 1;
      if (asked === 2) askedTwice.resolve(undefined);
      return new Promise(() => undefined);
    },
  } as unknown as CallClient;
  // Nothing of them is used before an instance is there.
  const starts = new Starts(new Agents([{ number: 0, labels: noLabels, client: agent }], Math.random), {} as StartEvents & LinkEvents);
  const served = new ServedVersion(version, 'default/f', new FunctionFigures(version), new TenantMeter('default'), new FunctionGuard());
  const now = performance.now();
  served.handlerMs.add(50);
  served.startMs.add(5);
  served.endedAt = now;
  for (let each = 0; each < 20; each++) served.load.began(now);
  const waits: unknown = { state: 'waiting', id: 'one' };
  for (let each = 0; each < 2; each++) served.enqueue(waits as Exchange);
  // Of twenty that take 50 ms each, two end within 5 ms.
  starts.activate(served, now, 'one');
  assert.equal(asked, 0);
  await askedTwice.promise;
  starts.close();
});

test('a start that nobody waits for any more is withdrawn, unless it has its sandbox; who comes then has one asked for him', async () => {
  await using tested = new GatewayUnderTest();
  const instance = tested.instance();
  const calls = [tested.call()];
  const first = await tested.asked.take();
  calls.push(tested.call());
  const second = await tested.asked.take();
  calls.push(tested.call());
  const third = await tested.asked.take();
  tested.gateway.notices.starting({ instanceId: second.order.instanceId, socketPath: instance.path });
  first.resolve(acquired(first, instance));
  for (const body of ['a', 'b', 'c']) instance.answer((await instance.frames.take()).stream, body);
  const texts = await Promise.all(calls.map(async (call) => (await call).text()));
  assert.deepEqual(texts, ['a', 'b', 'c'], 'one that was there served them all');
  assert.deepEqual(await tested.told.take(), { method: 'withdraw', body: { instanceIds: [third.order.instanceId] } });
  const busy = tested.call();
  const { stream } = await instance.frames.take();
  const late = [tested.call(), tested.call()];
  while (tested.gateway.counts.waiting < 2) await new Promise(setImmediate);
  third.reject(new SwiftletError('Unavailable', 'nobody waits'));
  const again = await tested.asked.take();
  assert.notEqual(again.order.instanceId, third.order.instanceId);
  instance.answer(stream, 'd');
  for (const body of ['e', 'f']) instance.answer((await instance.frames.take()).stream, body);
  const later = await Promise.all([busy, ...late].map(async (call) => (await call).text()));
  assert.deepEqual(later.toSorted(), ['d', 'e', 'f']);
});

test('a start that fails while an instance serves is nobody’s answer: who waits has his turn there', async () => {
  await using tested = new GatewayUnderTest();
  const instance = tested.instance();
  const first = tested.call();
  const asked = await tested.asked.take();
  asked.resolve(acquired(asked, instance));
  const { stream } = await instance.frames.take();
  const second = tested.call();
  (await tested.asked.take()).reject(new SwiftletError('InitError', 'it threw'));
  await new Promise(setImmediate);
  instance.answer(stream, 'first');
  instance.answer((await instance.frames.take()).stream, 'second');
  assert.deepEqual([await (await first).text(), await (await second).text()], ['first', 'second']);
});

/** Reads a whole request. */
async function bodyAt(instance: ReturnType<GatewayUnderTest['instance']>): Promise<{ stream: number; received: string }> {
  let received = '';
  for (;;) {
    const { type, stream, payload } = await instance.frames.take();
    if (type === frame.requestBody) received += payload.toString();
    if (type === frame.requestEnd) return { stream, received };
  }
}

test('a start that fails those who wait in the queue leaves nobody counted as waiting', async () => {
  await using tested = new GatewayUnderTest();
  const responses = [tested.call()];
  const asked = [await tested.asked.take()];
  responses.push(tested.call());
  asked.push(await tested.asked.take());
  for (const each of asked) each.reject(new SwiftletError('InitError', 'it threw'));
  for (const response of responses) assert.equal(await problemCode(response), 'InitError');
  assert.equal(tested.gateway.counts.waiting, 0);
});
