/** Requests that the gateway hands to itself: the same gateway as for any other, and an instance that says what the test makes it say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InnerRequests, type InnerRequest } from '../../src/gateway/doors/inner-requests.ts';
import { fromOutside } from '../../src/gateway/doors/origin.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { bodyChunkBytes } from '../../src/wire/frames.ts';
import { frame, invokeKind } from '../../src/wire/instance-protocol.ts';
import { acquired, done, type FakeInstance, GatewayUnderTest } from './starting-instance.ts';

const inner = (more: Partial<InnerRequest> = {}): InnerRequest => ({
  id: 'r-1',
  tenant: 'default',
  name: 'f',
  event: Buffer.from('{"n":1}'),
  sourceIp: '192.0.2.1',
  origin: fromOutside,
  ...more,
});
const all = () => true;
const never = new AbortController().signal;
const head = JSON.stringify([200, ['content-type', 'application/json']]);

interface Begun {
  readonly instance: FakeInstance;
  readonly stream: number;
  readonly head: unknown[];
}

/** What the instance got of the request that was just sent. */
async function begun(tested: GatewayUnderTest): Promise<Begun> {
  const instance = tested.instance();
  const asked = await tested.asked.take();
  asked.resolve(acquired(asked, instance));
  const { stream, payload } = await instance.frames.take();
  return { instance, stream, head: JSON.parse(payload.toString()) as unknown[] };
}

/** The next frame of a kind. */
async function next(instance: FakeInstance, type: number) {
  let came = await instance.frames.take();
  while (came.type !== type) came = await instance.frames.take();
  return came;
}

const codeOf = (error: unknown): unknown => (error instanceof SwiftletError ? error.code : error);

test('an event goes as any other does, and its answer comes back whole, however it came', async () => {
  await using tested = new GatewayUnderTest();
  const event = Buffer.alloc(2 * bodyChunkBytes + 1, 'x');
  const origin = { ...fromOutside, clientContext: 'e30=', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` };
  const answered = new InnerRequests(() => tested.gateway).send(inner({ event, origin }), all, never);
  const { instance, stream, head: got } = await begun(tested);
  const [kind, id, , method, target, sourceIp, length, headers] = got;
  assert.deepEqual([kind, id, method, target, sourceIp, length], [invokeKind.event, 'r-1', 'POST', '/', '192.0.2.1', event.length]);
  assert.deepEqual(headers, ['x-amz-client-context', 'e30=', 'traceparent', origin.traceparent]);
  let came = 0;
  for (let piece = await instance.frames.take(); piece.type !== frame.requestEnd; piece = await instance.frames.take()) {
    assert.ok(piece.payload.length <= bodyChunkBytes);
    came += piece.payload.length;
  }
  assert.equal(came, event.length);
  instance.send(frame.head, stream, head);
  for (const piece of ['{"a"', ':"', 'é'.repeat(bodyChunkBytes / 4), '"}']) instance.send(frame.responseBody, stream, piece);
  instance.send(frame.done, stream, done(0));
  const { status, contentType, error, headers: told, body } = await answered;
  assert.deepEqual([status, contentType, error, told['x-swiftlet-version']], [200, 'application/json', undefined, '1']);
  assert.equal(body.toString(), `{"a":"${'é'.repeat(bodyChunkBytes / 4)}"}`);
  await tested.atRest();
});

test('a version that is asked for, or a function that there is not, is told as the gateway tells it', async () => {
  await using tested = new GatewayUnderTest();
  const own = new InnerRequests(() => tested.gateway);
  const [missing, version] = [own.send(inner({ name: 'g' }), all, never), own.send(inner({ version: 7 }), all, never)];
  assert.equal((await missing).error, 'FunctionNotFound');
  assert.deepEqual([(await version).error, (await version).status], ['VersionNotFound', 404]);
});

test('what fails in the middle of a held answer is told instead of it', async () => {
  await using tested = new GatewayUnderTest();
  const answered = new InnerRequests(() => tested.gateway).send(inner({ origin: { ...fromOutside, tellsFailure: true } }), all, never);
  const { instance, stream } = await begun(tested);
  instance.send(frame.head, stream, head);
  for (const piece of ['{"a"', ':1']) instance.send(frame.responseBody, stream, piece);
  await new Promise((resolve) => setImmediate(resolve));
  instance.send(frame.failed, stream, JSON.stringify({ code: 'HandlerError', type: 'RangeError', message: 'too far' }));
  const { error, body } = await answered;
  assert.equal(error, 'HandlerError');
  assert.deepEqual((JSON.parse(body.toString()) as { failure: { message: string } }).failure.message, 'too far');
});

test('who waits no longer, or may hold no more, is told so, and the function as well', async () => {
  await using tested = new GatewayUnderTest();
  const own = new InnerRequests(() => tested.gateway);
  const gone = new AbortController();
  const answered = own.send(inner(), all, gone.signal).catch(codeOf);
  const { instance, stream } = await begun(tested);
  gone.abort();
  assert.equal(await answered, 'ClientClosedRequest');
  await next(instance, frame.cancel);
  instance.send(frame.done, stream, done(0));
  await tested.atRest();
  const tooLong = own.send(inner(), () => false, never).catch(codeOf);
  const again = await next(instance, frame.invoke);
  instance.answer(again.stream, '{}');
  assert.equal(await tooLong, 'ResponseTooLarge');
});

test('an answer that goes on as it comes asks for more as it is taken, and ends with who takes it', async () => {
  await using tested = new GatewayUnderTest();
  const gone = new AbortController();
  const opened = new InnerRequests(() => tested.gateway).open(inner(), all, gone.signal);
  const { instance, stream } = await begun(tested);
  instance.send(frame.head, stream, head);
  instance.send(frame.responseBody, stream, 'first');
  const answer = await opened;
  assert.ok('stream' in answer);
  const pieces = answer.stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  assert.equal(String((await pieces.next()).value), 'first');
  for (let sent = 0; sent < 3; sent++) instance.send(frame.responseBody, stream, Buffer.alloc(bodyChunkBytes));
  let taken = 0;
  while (taken < 3 * bodyChunkBytes) taken += (await pieces.next()).value?.length ?? 0;
  await next(instance, frame.responseCredit);
  gone.abort();
  await assert.rejects(pieces.next());
  await next(instance, frame.cancel);
});
