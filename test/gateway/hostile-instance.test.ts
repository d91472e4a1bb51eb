/** An instance whose own process speaks the protocol to the platform's harm: hostile code can reach the socket that its runtime uses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SwiftletError } from '../../src/model/errors.ts';
import { frame, initialCreditBytes } from '../../src/wire/instance-protocol.ts';
import { acquired, type FakeInstance, GatewayUnderTest, problemCode, startedFor } from './starting-instance.ts';

const ok = JSON.stringify([200, []]);
const credit = (bytes: number) => {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(bytes);
  return payload;
};

/** Calls once, and gives the instance what it got. */
async function begun(tested: GatewayUnderTest, slots = 1) {
  const instance = tested.instance();
  const response = tested.call();
  const asked = await tested.asked.take();
  asked.resolve({ ...acquired(asked, instance), slots });
  const { stream } = await instance.frames.take();
  return { instance, response, stream };
}

const breaches: [what: string, send: (instance: FakeInstance, stream: number) => void][] = [
  // The first, since a head that is like the last one is not read again.
  ['a head that is empty', (instance, stream) => instance.send(frame.head, stream)],
  ['a body before its head', (instance, stream) => instance.send(frame.responseBody, stream, 'x')],
  ['an end before its beginning', (instance, stream) => instance.send(frame.done, stream, Buffer.alloc(8))],
  ['a frame of a kind that there is not', (instance, stream) => instance.send(0x7f, stream)],
  ['a head that is no JSON', (instance, stream) => instance.send(frame.head, stream, '\xff{')],
  ['a status that no answer has', (instance, stream) => instance.send(frame.head, stream, JSON.stringify([99, []]))],
];
for (const [what, send] of breaches) {
  test(`${what}: 502 InvalidResponse`, async () => {
    await using tested = new GatewayUnderTest();
    const { instance, response, stream } = await begun(tested);
    send(instance, stream);
    assert.equal(await problemCode(response), 'InvalidResponse');
    assert.equal(tested.gateway.counts.inFlight, 0);
  });
}

test('a frame over its limit: the connection ends, 502 FunctionCrashed', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, stream } = await begun(tested);
  instance.send(frame.head, stream, Buffer.alloc(1024 * 1024 + 1));
  assert.equal(await problemCode(response), 'FunctionCrashed');
});

test('a second head breaks the answer off', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, stream } = await begun(tested);
  instance.send(frame.head, stream, ok);
  const answer = await response;
  instance.send(frame.head, stream, ok);
  await assert.rejects(answer.text());
});

test('more of a body than the caller takes: broken off at the credit given', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, stream } = await begun(tested);
  instance.send(frame.head, stream, ok);
  const answer = await response;
  const chunk = Buffer.alloc(64 * 1024);
  // Nobody reads, and no credit is waited for.
  for (let sent = 0; sent < 64 * initialCreditBytes; sent += chunk.length) instance.send(frame.responseBody, stream, chunk);
  await tested.atRest();
  await assert.rejects(answer.arrayBuffer());
});

test('a head on its own leaves in the characters that it has', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, stream } = await begun(tested);
  instance.send(frame.head, stream, JSON.stringify([200, ['x-name', 'caf\u00e9']]));
  const answer = await response;
  assert.equal(answer.headers.get('x-name'), 'café');
  instance.send(frame.done, stream, Buffer.alloc(8));
  assert.equal(await answer.text(), '');
});

test('a piece of a body that is empty breaks the answer off', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, stream } = await begun(tested);
  instance.send(frame.head, stream, ok);
  const answer = await response;
  instance.send(frame.responseBody, stream);
  await assert.rejects(answer.text());
});

test('a body in single bytes is not answered with a credit for each', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, stream } = await begun(tested);
  instance.send(frame.head, stream, ok);
  const bytes = 200_000;
  for (let sent = 0; sent < bytes; sent++) {
    instance.send(frame.responseBody, stream, 'x');
    if (sent % 10_000 === 0) await instance.drained();
  }
  instance.send(frame.done, stream, Buffer.alloc(8));
  assert.equal((await (await response).text()).length, bytes);
  assert.ok(instance.frames.length < 10, `${instance.frames.length} frames came back`);
});

test('credit without end for a body that is not read: the connection ends before it holds much', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, stream } = await begun(tested, 50);
  instance.answer(stream, 'first');
  await (await response).text();
  instance.stopReading();
  const body = Buffer.alloc(6 * 1024 * 1024);
  // Who came too late for this instance gets no other.
  const refusing = (async () => {
    for (;;) (await tested.asked.take()).reject(new SwiftletError('FunctionCrashed', 'there is no other'));
  })();
  void refusing;
  const calls = Array.from({ length: 20 }, () => tested.call({ method: 'POST', body }).then(({ status }) => status));
  for (let next = stream + 1; next <= stream + calls.length; next++)
    for (let again = 0; again < 30; again++) instance.send(frame.requestCredit, next, credit(0xffff_ffff));
  const granting = setInterval(() => {
    for (let next = stream + 1; next <= stream + calls.length; next++) instance.send(frame.requestCredit, next, credit(0xffff_ffff));
  }, 10);
  assert.deepEqual(new Set(await Promise.all(calls)), new Set([502]));
  clearInterval(granting);
});

test('frames for a request of nobody are dropped, and those of another are not touched', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, stream } = await begun(tested);
  for (const other of [0, stream + 1, stream - 1, 0xffff_ffff]) instance.answer(other, 'forged');
  instance.answer(stream, 'right');
  instance.answer(stream, 'late');
  assert.equal(await (await response).text(), 'right');
  const next = tested.call();
  const invoke = await instance.frames.take();
  instance.answer(invoke.stream, 'next');
  assert.equal(await (await next).text(), 'next');
});

test('frames without number from an instance that is not initialised are not kept without end', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  const { stream } = await instance.frames.take();
  for (let sent = 0; sent < 1_000_000; sent++) instance.send(frame.head, stream);
  // It is not read to its end, so that what it sends stays with it.
  assert.ok(!(await instance.drained(500)), 'all was read');
  asked.reject(new Error('the start failed'));
  assert.equal(await problemCode(response), 'Internal');
});
