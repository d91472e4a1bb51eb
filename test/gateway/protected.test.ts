/** What callers of a protected function get, at the gateway's door. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { protectionSchema } from '../../src/model/protection.ts';
import { frame } from '../../src/wire/instance-protocol.ts';
import { emptyState, functionKey } from '../../src/wire/published-state.ts';
import { acquired, type FakeInstance, GatewayUnderTest, version } from './starting-instance.ts';

const protect = (some: object) => protectionSchema.parse(some);

/** Calls, and has an instance that takes the request. */
async function taken(
  tested: GatewayUnderTest,
  init: RequestInit = {},
  name = 'f',
): Promise<{ response: Promise<Response>; instance: FakeInstance }> {
  const instance = tested.instance();
  const response = tested.call(init, 'default', name);
  const asked = await tested.asked.take();
  asked.resolve(acquired(asked, instance));
  return { response, instance };
}

async function answered(instance: FakeInstance, body: string): Promise<void> {
  instance.answer((await instance.frames.take()).stream, body);
}

/** @returns until when it had time */
async function failed(instance: FakeInstance): Promise<number> {
  const { stream, payload } = await instance.frames.take();
  instance.send(frame.failed, stream, JSON.stringify({ code: 'HandlerError', type: 'Error', message: 'no' }));
  return deadlineIn(payload);
}

const deadlineIn = (head: Buffer): number => (JSON.parse(head.toString()) as [number, string, number])[2];

const headersOf = ({ status, headers }: Response, ...names: string[]) => [status, ...names.map((name) => headers.get(name))];

test('above its rate a caller gets 429, the limit that was hit, and when to come again', async () => {
  await using tested = new GatewayUnderTest({ protect: protect({ rates: [{ perSecond: 0.1, burst: 1, key: { header: 'x-api-key' } }] }) });
  const one = { headers: { 'x-api-key': 'one' } };
  const { response, instance } = await taken(tested, one);
  await answered(instance, 'first');
  assert.equal((await response).status, 200);
  const refused = await tested.call(one);
  assert.deepEqual(headersOf(refused, 'x-swiftlet-error', 'retry-after'), [429, 'RateLimited', '10']);
  assert.deepEqual(((await refused.json()) as { limit: string }).limit, '0.1 requests/s (burst 1) for each value of x-api-key');
  const other = tested.call({ headers: { 'x-api-key': 'other' } });
  await answered(instance, 'second');
  assert.equal((await other).status, 200);
});

test('reserved concurrency: never more at once, and other functions cannot take it', async () => {
  await using tested = new GatewayUnderTest({ tenantInFlight: 2, protect: protect({ reservedConcurrency: 1 }) });
  const plain = { ...version, function: 'g' };
  const reserved = { ...version, config: { ...version.config, protect: protect({ reservedConcurrency: 1 }) } };
  const functions = new Map([
    ['default/f', reserved],
    ['default/g', plain],
  ]);
  tested.gateway.applyState({ ...emptyState, revision: 2, functions });
  const g = await taken(tested, {}, 'g');
  const tooMany = await tested.call({}, 'default', 'g');
  assert.deepEqual(headersOf(tooMany, 'x-swiftlet-error', 'retry-after'), [429, 'TooManyRequests', '1']);
  assert.match(await tooMany.text(), /1 requests are under way already \(1 more are reserved for other functions\)/);
  const f = await taken(tested);
  assert.match(await (await tested.call()).text(), /has its reserved 1 requests at once under way already.*"limit":"1 requests at once"/);
  await answered(g.instance, 'g');
  await answered(f.instance, 'f');
  assert.deepEqual([(await g.response).status, (await f.response).status], [200, 200]);
  await tested.atRest();
  const again = tested.call();
  await answered(f.instance, 'again');
  assert.equal((await again).status, 200);
});

test('a tenant that reserves more than it may have gets no more, and takes nothing from another one', async () => {
  await using tested = new GatewayUnderTest({ tenantInFlight: 1, protect: protect({ reservedConcurrency: 5 }) });
  const { response, instance } = await taken(tested);
  const refused = await tested.call();
  assert.deepEqual(headersOf(refused, 'x-swiftlet-error', 'retry-after'), [429, 'TooManyRequests', '1']);
  assert.equal(((await refused.json()) as { limit: string }).limit, '1 requests at once');
  const other = tested.instance();
  const others = tested.call({}, 'other');
  const asked = await tested.asked.take();
  asked.resolve(acquired(asked, other));
  await answered(other, 'other');
  await answered(instance, 'mine');
  assert.deepEqual([(await response).status, (await others).status], [200, 200]);
});

test('what is reserved is set aside from the tenant’s quota, too', async () => {
  await using tested = new GatewayUnderTest();
  const reserved = { ...version, function: 'g', config: { ...version.config, protect: protect({ reservedConcurrency: 2 }) } };
  const functions = new Map([version, reserved].map((one) => [functionKey('default', one.function), one]));
  const settings = { name: 'default', quotas: { concurrency: 3 }, cpuWeight: 100 };
  tested.gateway.applyState({ ...emptyState, revision: 2, functions, tenants: new Map([['default', settings]]) });
  const { response, instance } = await taken(tested);
  assert.deepEqual(headersOf(await tested.call(), 'x-swiftlet-error'), [429, 'TooManyRequests']);
  const both = [await taken(tested, {}, 'g'), await taken(tested, {}, 'g')];
  await answered(instance, 'f');
  for (const { instance: one } of both) await answered(one, 'g');
  for (const one of [response, ...both.map((g) => g.response)]) assert.equal((await one).status, 200);
});

test('a circuit opens for a version that fails, says so at once, and closes when one request does well', async () => {
  const breaker = { leastRequests: 2, openMs: 100 };
  await using tested = new GatewayUnderTest({ protect: protect({ breaker }) });
  const { response, instance } = await taken(tested);
  await failed(instance);
  assert.equal((await response).status, 502);
  const second = tested.call();
  await failed(instance);
  assert.equal((await second).status, 502);
  const refused = await tested.call();
  assert.deepEqual(headersOf(refused, 'x-swiftlet-error', 'retry-after'), [503, 'CircuitOpen', '1']);
  await new Promise((resolve) => setTimeout(resolve, 110));
  const probe = tested.call();
  const { stream } = await instance.frames.take();
  assert.equal((await tested.call()).headers.get('x-swiftlet-error'), 'CircuitOpen', 'one tries, others wait for it');
  instance.answer(stream, 'well');
  assert.equal(await (await probe).text(), 'well');
  const next = tested.call();
  await answered(instance, 'again');
  assert.equal((await next).status, 200);
});

test('fallback: a static answer, marked', async () => {
  const fallback = { kind: 'answer', status: 200, headers: { 'content-type': 'text/plain' }, body: 'closed today' };
  await using tested = new GatewayUnderTest({ protect: protect({ fallback }) });
  const { response, instance } = await taken(tested);
  await failed(instance);
  const answer = await response;
  assert.deepEqual(headersOf(answer, 'x-swiftlet-fallback', 'content-type'), [200, 'answer; cause=HandlerError', 'text/plain']);
  assert.equal(await answer.text(), 'closed today');
});

test('fallback: in the place of what was not let in, and the rest of its body is not waited for', async () => {
  const fallback = { kind: 'answer', on: ['overload'], body: 'later' };
  await using tested = new GatewayUnderTest({ protect: protect({ fallback, reservedConcurrency: 1 }) });
  const { response, instance } = await taken(tested);
  const body = new ReadableStream<Uint8Array>({ start: (upload) => upload.enqueue(Buffer.from('a beginning')) });
  const answer = await tested.call({ method: 'POST', body, duplex: 'half' });
  assert.deepEqual(headersOf(answer, 'x-swiftlet-fallback', 'connection'), [200, 'answer; cause=TooManyRequests', 'close']);
  await answered(instance, 'first');
  assert.equal((await response).status, 200);
});

test('fallback: only for what it is for', async () => {
  await using tested = new GatewayUnderTest({ protect: protect({ fallback: { kind: 'answer', on: ['overload'], body: 'busy' } }) });
  const { response, instance } = await taken(tested);
  await failed(instance);
  assert.equal((await response).status, 502);
});

test('fallback: the last good answer with its age, to who asks the same', async () => {
  await using tested = new GatewayUnderTest({ protect: protect({ fallback: { kind: 'last-good' } }) });
  const { response, instance } = await taken(tested);
  await answered(instance, 'good');
  assert.equal(await (await response).text(), 'good');
  const second = tested.call();
  await failed(instance);
  const stale = await second;
  assert.deepEqual(headersOf(stale, 'x-swiftlet-fallback', 'age'), [200, 'last-good; cause=HandlerError', '0']);
  assert.equal(await stale.text(), 'good');
  const personal = tested.call({ headers: { authorization: 'mine' } });
  await failed(instance);
  assert.equal((await personal).status, 502);
});

test('fallback: another function answers, and has none of its own then', async () => {
  await using tested = new GatewayUnderTest();
  const withFallback = (name: string, other: string) => ({
    ...version,
    function: name,
    config: { ...version.config, protect: protect({ fallback: { kind: 'function', function: other } }) },
  });
  const functions = new Map([withFallback('f', 'g'), withFallback('g', 'f')].map((one) => [functionKey('default', one.function), one]));
  tested.gateway.applyState({ ...emptyState, revision: 2, functions });
  const { response, instance } = await taken(tested);
  await failed(instance);
  const asked = await tested.asked.take();
  assert.equal(asked.order.function, 'g');
  const other = tested.instance();
  asked.resolve(acquired(asked, other));
  await answered(other, 'from g');
  const answer = await response;
  assert.deepEqual(headersOf(answer, 'x-swiftlet-fallback'), [200, 'function; cause=HandlerError']);
  assert.equal(await answer.text(), 'from g');
  const both = tested.call();
  await failed(instance);
  await failed(other);
  assert.equal((await both).headers.get('x-swiftlet-error'), 'HandlerError');
  assert.equal(tested.gateway.counts.inFlight, 0);
});

test('fallback: another function has what is left of the caller’s time', async () => {
  await using tested = new GatewayUnderTest();
  const config = { ...version.config, protect: protect({ fallback: { kind: 'function', function: 'g' } }) };
  const functions = new Map([
    ['default/f', { ...version, config }],
    ['default/g', { ...version, function: 'g' }],
  ]);
  tested.gateway.applyState({ ...emptyState, revision: 2, functions });
  const { response, instance } = await taken(tested, { headers: { 'x-swiftlet-timeout': '5s' } });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const endMs = await failed(instance);
  const asked = await tested.asked.take();
  const other = tested.instance();
  asked.resolve(acquired(asked, other));
  const { stream, payload } = await other.frames.take();
  assert.ok(Math.abs(deadlineIn(payload) - endMs) <= 1, `${deadlineIn(payload) - endMs} ms from it`);
  other.answer(stream, 'from g');
  assert.equal(await (await response).text(), 'from g');
});

test('the caller’s time: what waits is told so, what runs goes on with its slot, and the function knows how long it has', async () => {
  await using tested = new GatewayUnderTest();
  const hurried = { headers: { 'x-swiftlet-timeout': '200ms' } };
  const { response, instance } = await taken(tested, hurried);
  const { stream, payload } = await instance.frames.take();
  const head = JSON.parse(payload.toString()) as [number, string, number];
  assert.ok(head[2] - Date.now() <= 200, 'the deadline travels');
  const answer = await response;
  assert.deepEqual(headersOf(answer, 'x-swiftlet-error'), [504, 'DeadlineExceeded']);
  assert.match(await answer.text(), /had not answered within the 200 ms that the caller waits/);
  assert.equal((await instance.frames.take()).type, frame.cancel);
  const waiting = tested.call(hurried);
  assert.match(await (await waiting).text(), /no instance of function .* was free within the 200 ms/);
  instance.answer(stream, 'late');
  await tested.atRest();
  assert.deepEqual(headersOf(await tested.call({ headers: { 'x-swiftlet-timeout': 'soon' } }), 'x-swiftlet-error'), [400, 'BadRequest']);
});

test('a time that struck is named as the limit, with how long the function had', async () => {
  await using tested = new GatewayUnderTest({ timeoutMs: 100, queueTimeoutMs: 100 });
  const limitOf = async (answer: Response) => [answer.status, ((await answer.json()) as { limit: string }).limit];
  const { response, instance } = await taken(tested);
  await instance.frames.take();
  const answer = await response;
  const handlerMs = Number(/handler;dur=([\d.]+)/.exec(answer.headers.get('server-timing') ?? '')?.[1]);
  assert.ok(handlerMs >= 99, `the handler had ${handlerMs} ms`);
  assert.deepEqual(await limitOf(answer), [504, '100 ms of the function\'s "timeout"']);
  assert.deepEqual(await limitOf(await tested.call()), [504, '100 ms of the function\'s "queue.timeout"']);
});

test('a function that is called has no more time than the one that calls it', async () => {
  await using tested = new GatewayUnderTest();
  tested.origin = { hops: 1, caller: { function: 'caller', requestId: 'one' }, deadlineMs: Date.now() + 200 };
  const { response, instance } = await taken(tested);
  const { payload } = await instance.frames.take();
  const [, , deadlineMs] = JSON.parse(payload.toString()) as [number, string, number];
  assert.ok(Math.abs(deadlineMs - tested.origin.deadlineMs) <= 2, `${deadlineMs}`);
  const answer = await response;
  assert.deepEqual(headersOf(answer, 'x-swiftlet-error'), [504, 'DeadlineExceeded']);
  assert.match(await answer.text(), /had not answered within the \d+ ms that were left to function \\"caller\\", which called it/);
});

test('what cannot be answered in time is refused at once', async () => {
  await using tested = new GatewayUnderTest({ maximum: 1 });
  const { response, instance } = await taken(tested);
  const first = await instance.frames.take();
  await new Promise((resolve) => setTimeout(resolve, 120));
  instance.answer(first.stream, 'slow');
  await response;
  const under = [tested.call(), tested.call()];
  await tested.inFlight(2);
  const refused = await tested.call({ headers: { 'x-swiftlet-timeout': '100ms' } });
  assert.deepEqual(headersOf(refused, 'x-swiftlet-error', 'retry-after'), [503, 'DeadlineUnreachable', '1']);
  for (let at = 0; at < 2; at++) await answered(instance, 'x');
  await Promise.all(under);
});

test('an instance that fails while its sibling answers gets no more requests, and is ended', async () => {
  await using tested = new GatewayUnderTest();
  const [sick, well] = [await taken(tested), await taken(tested)];
  await failed(sick.instance);
  await answered(well.instance, 'well');
  await Promise.all([sick.response, well.response]);
  // Two at once go to both; the one that is well ends first, so that it is used again at last.
  for (let at = 0; at < 4; at++) {
    const pair = [tested.call(), tested.call()];
    await answered(well.instance, 'well');
    await failed(sick.instance);
    await Promise.all(pair);
  }
  const { method, body } = await tested.told.take();
  assert.deepEqual([method, (body as { code: string }).code], ['discard', 'FunctionCrashed']);
  assert.match(
    (body as { detail: string }).detail,
    /an instance of function "f" fails while others of its version do not; it was replaced/,
  );
  assert.equal(tested.gateway.holds.length, 1);
});
