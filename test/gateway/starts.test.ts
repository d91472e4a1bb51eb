import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SwiftletError } from '../../src/model/errors.ts';
import { frame } from '../../src/wire/instance-protocol.ts';
import { acquired, GatewayUnderTest, problemCode, startedFor } from './starting-instance.ts';

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
  assert.equal(tested.gateway.inFlight, 0);
});

test('an init that fails is the answer of what was sent ahead', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  await instance.frames.take();
  asked.reject(new SwiftletError('InitError', 'it threw'));
  assert.equal(await problemCode(response), 'InitError');
  assert.equal(tested.gateway.inFlight, 0);
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
  assert.equal(tested.gateway.waiting, 0);
});
