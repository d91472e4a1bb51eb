/** How the gateway takes instances and gives them back: what requests are told of it, and who is taken first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from '../../src/wire/instance-protocol.ts';
import { traceSchema } from '../../src/wire/relay-calls.ts';
import { acquired, type Asked, type FakeInstance, GatewayUnderTest, startedFor } from './starting-instance.ts';

/** Answers the next request at an instance. @returns the stream it came on */
async function serve(instance: FakeInstance, body = 'x'): Promise<void> {
  instance.answer((await instance.frames.take()).stream, body);
}

const startOf = async (response: Promise<Response>): Promise<string | null> => (await response).headers.get('x-swiftlet-start');

/** Calls, and lets the agent give an instance for it. */
async function calledWith(tested: GatewayUnderTest, terms: Partial<ReturnType<typeof acquired>>, instance = tested.instance()) {
  const response = tested.call();
  const asked: Asked = await tested.asked.take();
  asked.resolve({ ...acquired(asked, instance), ...terms });
  return { instance, response, id: terms.instanceId ?? asked.order.instanceId };
}

const warm = { start: 'warm', spans: [] } as const;

test('a thawed instance is told by the request that it was thawed for, and is warm from then on', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response } = await calledWith(tested, { ...warm, start: 'thawed' });
  await serve(instance);
  assert.equal(await startOf(response), 'thawed');
  const next = tested.call();
  await serve(instance);
  assert.equal(await startOf(next), 'warm');
  await tested.atRest();
  const { logged, usage } = tested.reported();
  assert.deepEqual(
    logged.map((line) => traceSchema.parse(JSON.parse(line)).report.start),
    ['thawed', 'warm'],
  );
  assert.deepEqual([usage.thawed, usage.warm, usage.cold], [1, 1, 0]);
});

test('an instance without requests is given back after as long as the agent said, with its connection', async () => {
  await using tested = new GatewayUnderTest({ idleMs: 60_000 });
  const { instance, response, id } = await calledWith(tested, { idleLimitMs: 60 });
  await serve(instance);
  await response;
  const { method, body } = await tested.told.take();
  const { instanceId, idleSinceMsAgo } = body as { instanceId: string; idleSinceMsAgo: number };
  assert.deepEqual([method, instanceId], ['release', id]);
  assert.ok(idleSinceMsAgo >= 60, `${idleSinceMsAgo} ms`);
  assert.deepEqual(tested.gateway.holds, []);
});

test('a request under way keeps its instance for as long as it takes', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, id } = await calledWith(tested, { idleLimitMs: 0 });
  const { stream } = await instance.frames.take();
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.deepEqual([tested.gateway.holds, tested.told.length], [[id], 0]);
  instance.answer(stream, 'late');
  assert.equal(await (await response).text(), 'late');
  assert.equal((await tested.told.take()).method, 'release');
});

test('provisioned ones are told, kept, and taken before others', async () => {
  await using tested = new GatewayUnderTest();
  const [provisioned, other] = [
    await calledWith(tested, { ...warm, isProvisioned: true, idleLimitMs: 0 }),
    await calledWith(tested, { idleLimitMs: 60_000 }),
  ];
  await serve(provisioned.instance);
  await serve(other.instance);
  assert.deepEqual([await startOf(provisioned.response), await startOf(other.response)], ['provisioned', 'cold']);
  for (let round = 0; round < 2; round++) {
    await tested.atRest();
    const [first, second] = [tested.call(), tested.call()];
    await tested.inFlight(2);
    await serve(provisioned.instance);
    await serve(other.instance);
    assert.deepEqual(new Set([await startOf(first), await startOf(second)]), new Set(['provisioned', 'warm']));
    await tested.atRest();
    const alone = tested.call();
    await serve(provisioned.instance);
    assert.equal(await startOf(alone), 'provisioned');
  }
  // A few sweeps later.
  await new Promise((resolve) => setTimeout(resolve, 150));
  assert.equal(tested.told.length, 0);
  assert.equal(tested.gateway.holds.length, 2);
});

test('a one-shot instance gets one request, and goes back as soon as that is answered', async () => {
  await using tested = new GatewayUnderTest({ process: 'one-shot' });
  const first = await calledWith(tested, {});
  const waiting = tested.call();
  const asked = await tested.asked.take();
  await serve(first.instance, 'first');
  assert.equal(await (await first.response).text(), 'first');
  assert.deepEqual(await tested.told.take().then(({ method, body }) => [method, (body as { instanceId: string }).instanceId]), [
    'release',
    first.id,
  ]);
  const second = tested.instance();
  asked.resolve(acquired(asked, second));
  await serve(second, 'second');
  assert.equal(await (await waiting).text(), 'second');
  assert.equal(await startOf(waiting), 'cold');
  assert.equal(first.instance.frames.length, 0);
});

test('a one-shot instance whose request was sent ahead, and answered before the agent spoke, gets no other', async () => {
  await using tested = new GatewayUnderTest({ process: 'one-shot' });
  const { instance, response, asked } = await startedFor(tested);
  const { stream } = await instance.frames.take();
  const waiting = tested.call();
  const next = await tested.asked.take();
  instance.send(frame.begun, 0);
  instance.answer(stream, 'first');
  // Until the gateway has read it.
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  asked.resolve(acquired(asked, instance));
  assert.equal(await (await response).text(), 'first');
  assert.equal((await tested.told.take()).method, 'release');
  const second = tested.instance();
  next.resolve(acquired(next, second));
  await serve(second, 'second');
  assert.equal(await (await waiting).text(), 'second');
  assert.equal(instance.frames.length, 0);
});

test('of a one-shot function, each that waits is started for, within the maximum', async () => {
  await using tested = new GatewayUnderTest({ process: 'one-shot', maximum: 1 });
  const first = await calledWith(tested, {});
  const waiting = tested.call();
  await tested.inFlight(2);
  assert.equal(tested.asked.length, 0);
  await serve(first.instance);
  const second = tested.instance();
  const asked = await tested.asked.take();
  asked.resolve(acquired(asked, second));
  await serve(second, 'second');
  assert.equal(await (await waiting).text(), 'second');
});
