/** Calls between functions, as a gateway takes them from an instance that is in the test's hands. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { SentEvent } from '../../src/gateway/doors/event-door.ts';
import type { InnerAnswer } from '../../src/gateway/http/held-answer.ts';
import type { InnerRequest } from '../../src/gateway/doors/inner-requests.ts';
import { functionCallBytes, maxCallBytes, maxCallsAtOnce } from '../../src/model/limits.ts';
import { callKind, callOutcome, frame } from '../../src/wire/instance-protocol.ts';
import { callPayload } from './call-payload.ts';
import { acquired, type FakeInstance, GatewayUnderTest, problemCode } from './starting-instance.ts';

const grants = { calls: ['other', 'third'] };
const json: InnerAnswer = {
  status: 200,
  contentType: 'application/json',
  error: undefined,
  headers: {},
  body: Buffer.from('{"done":true}'),
};

/** Has one invocation begun on an instance. */
async function begun(tested: GatewayUnderTest, slots = 1) {
  const instance = tested.instance();
  const response = tested.call();
  const asked = await tested.asked.take();
  asked.resolve({ ...acquired(asked, instance), slots });
  const { stream } = await instance.frames.take();
  return { instance, response, stream };
}

async function answerTo(instance: FakeInstance) {
  const { type, stream, payload } = await instance.frames.take();
  assert.equal(type, frame.callAnswer);
  return { stream, number: payload.readUInt32BE(0), kind: payload[4], text: payload.toString('utf8', 5) };
}
const codeOf = (text: string) => (JSON.parse(text) as { code: string }).code;

test('a call goes on with its caller, its deadline and the length of the chain, and its answer comes back', async () => {
  await using tested = new GatewayUnderTest({ ...grants, timeoutMs: 2_000 });
  const { instance, response, stream } = await begun(tested);
  const asked: InnerRequest[] = [];
  tested.inner = (inner) => {
    asked.push(inner);
    return Promise.resolve(json);
  };
  instance.send(frame.call, stream, callPayload(5, 'other', '{"n":1}'));
  assert.deepEqual(await answerTo(instance), { stream, number: 5, kind: callOutcome.json, text: '{"done":true}' });
  const [inner] = asked;
  assert.deepEqual(
    [inner?.name, inner?.event.toString(), inner?.origin.hops, inner?.origin.caller?.function],
    ['other', '{"n":1}', 1, 'f'],
  );
  const leftMs = (inner?.origin.deadlineMs ?? 0) - Date.now();
  assert.ok(leftMs > 1_000 && leftMs <= 2_000, `${leftMs} ms are left`);
  instance.answer(stream, 'fine');
  assert.equal((await response).headers.get('x-swiftlet-request-id'), inner?.origin.caller?.requestId);
  assert.deepEqual(tested.graph.of('default', 'f').calls, [{ caller: 'f', callee: 'other', kind: 'sync', outcome: 'ok', count: 1 }]);
  assert.equal(tested.calls.heldBytes, 0);
});

test('a call that nobody waits for is answered once it is stored, and not before', async () => {
  await using tested = new GatewayUnderTest(grants);
  const { instance, response, stream } = await begun(tested);
  const stored = Promise.withResolvers<undefined>();
  const events: SentEvent[] = [];
  tested.store = async (event) => {
    events.push(event);
    await stored.promise;
    return event.id;
  };
  instance.send(frame.call, stream, callPayload(1, 'other', '{}', callKind.async));
  instance.send(frame.call, stream, callPayload(2, 'nobody', '{}'));
  // The second is refused while the first waits.
  assert.equal((await answerTo(instance)).number, 2);
  stored.resolve(undefined);
  const answer = await answerTo(instance);
  assert.deepEqual([answer.kind, JSON.parse(answer.text)], [callOutcome.accepted, { id: events[0]?.id }]);
  assert.deepEqual([events[0]?.function, events[0]?.origin.hops], ['other', 1]);
  instance.answer(stream, 'fine');
  await (await response).text();
});

test('what fails, or is not granted, says so', async () => {
  await using tested = new GatewayUnderTest(grants);
  const { instance, response, stream } = await begun(tested);
  tested.inner = () => Promise.resolve({ ...json, status: 504, error: 'Timeout', body: Buffer.from('{"code":"Timeout"}') });
  instance.send(frame.call, stream, callPayload(1, 'other', '{}'));
  const failed = await answerTo(instance);
  assert.deepEqual([failed.kind, codeOf(failed.text)], [callOutcome.failed, 'Timeout']);
  instance.send(frame.call, stream, callPayload(2, 'secrets', '{}'));
  assert.equal(codeOf((await answerTo(instance)).text), 'CallForbidden');
  instance.answer(stream, 'fine');
  await (await response).text();
});

test('what is no call: 502, and the instance is replaced', async () => {
  await using tested = new GatewayUnderTest(grants);
  const { instance, response, stream } = await begun(tested);
  instance.send(frame.call, stream, Buffer.alloc(3));
  assert.equal(await problemCode(response), 'InvalidResponse');
});

test('a call on a stream that is not its own goes nowhere', async () => {
  await using tested = new GatewayUnderTest(grants);
  const { instance, response, stream } = await begun(tested);
  let asked = 0;
  tested.inner = () => {
    asked += 1;
    return Promise.resolve(json);
  };
  for (const other of [0, stream + 1, 0xffff_ffff]) instance.send(frame.call, other, callPayload(1, 'other', '{}'));
  instance.answer(stream, 'fine');
  instance.send(frame.call, stream, callPayload(1, 'other', '{}'));
  await (await response).text();
  const next = tested.call();
  const invoke = await instance.frames.take();
  assert.equal(invoke.type, frame.invoke);
  instance.answer(invoke.stream, 'next');
  await (await next).text();
  assert.equal(asked, 0);
});

test('an invocation has so many calls open and no more; they end with it, and what they held is free', async () => {
  await using tested = new GatewayUnderTest(grants);
  const { instance, response, stream } = await begun(tested);
  const signals: AbortSignal[] = [];
  tested.inner = async (_inner, _takes, signal) => {
    signals.push(signal);
    await once(signal, 'abort');
    throw signal.reason;
  };
  for (let number = 1; number <= maxCallsAtOnce + 1; number++) instance.send(frame.call, stream, callPayload(number, 'other', '{}'));
  const refused = await answerTo(instance);
  assert.deepEqual([refused.number, codeOf(refused.text)], [maxCallsAtOnce + 1, 'TooManyRequests']);
  instance.answer(stream, 'fine');
  await (await response).text();
  assert.ok(signals.length === maxCallsAtOnce && signals.every(({ aborted }) => aborted));
  await new Promise(setImmediate);
  assert.equal(tested.calls.heldBytes, 0);
});

test('answers that are not taken hold so much and no more, and go with the instance', async () => {
  await using tested = new GatewayUnderTest(grants);
  const { instance, response, stream } = await begun(tested);
  let asked = 0;
  let refused = 0;
  tested.inner = (_inner, takes) => {
    asked += 1;
    const body = Buffer.alloc(maxCallBytes);
    if (takes(body.length)) return Promise.resolve({ ...json, body });
    refused += 1;
    return Promise.reject(new Error('too much'));
  };
  instance.stopReading();
  for (let number = 1; refused === 0; number++) {
    instance.send(frame.call, stream, callPayload(number, 'other', '{}'));
    await instance.drained();
    await new Promise(setImmediate);
  }
  assert.ok(asked <= functionCallBytes / maxCallBytes + 16, `${asked} were made`);
  assert.ok(tested.calls.heldBytes <= functionCallBytes);
  instance.end();
  assert.equal(await problemCode(response), 'FunctionCrashed');
  await new Promise(setImmediate);
  assert.equal(tested.calls.heldBytes, 0);
});
