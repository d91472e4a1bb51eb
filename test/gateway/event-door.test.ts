/** 202 when the event log has it, and never otherwise. The log is in the test's hands. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { EventDoor } from '../../src/gateway/doors/event-door.ts';
import { wantsNoAnswer } from '../../src/gateway/doors/prefer.ts';
import { writeProblem } from '../../src/gateway/request/reply.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { functionConfigSchema, type Version } from '../../src/model/function.ts';
import { acceptSchema } from '../../src/wire/event-calls.ts';

const version: Version = {
  tenant: 'default',
  function: 'hello',
  number: 1,
  digest: 'a'.repeat(64),
  size: 1,
  config: functionConfigSchema.parse({}),
  createdAt: '2026-01-01T00:00:00.000Z',
};

async function open(t: TestContext) {
  const under = {
    isThere: true,
    knows: true,
    maySee: true,
    asked: [] as { method: string; body: unknown }[],
    answer: (): Promise<unknown> => Promise.resolve({}),
    url: '',
  };
  const door = new EventDoor({
    events: {
      get connected() {
        return under.isThere;
      },
      ask(method, body) {
        under.asked.push({ method, body });
        return under.answer();
      },
      notify: () => undefined,
      notifyText: () => undefined,
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    gateway: {
      misplaced: () => undefined,
      find: (key) => (key === 'default/hello' ? version : undefined),
      refuse: (request, response, id, error) => writeProblem(response, error, id, [], !request.complete),
    },
    knowsFunctions: () => under.knows,
    pass: () => undefined,
  });
  const server = createServer((request, response) => {
    const [, name = '', rest = ''] = (request.url ?? '').split('/');
    if (name === 'status') door.status(request, response, { tenant: 'default', id: rest }, (of) => under.maySee && of === 'hello');
    else door.accept(request, response, { tenant: 'default', key: `default/${name}`, name, kind: 'http', target: `/${rest}` });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  under.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return under;
}

test('a request is stored whole, and then answered with 202, its id and where its state is', async (t) => {
  const under = await open(t);
  const stored = Promise.withResolvers<object>();
  under.answer = () => stored.promise;
  let answered = false;
  const response = fetch(`${under.url}/hello/path?x=1`, {
    method: 'POST',
    body: Buffer.from([0, 255]),
    headers: { 'x-mine': '1', 'x-swiftlet-event-id': 'forged', 'x-forwarded-for': 'forged', prefer: 'respond-async' },
  }).then((came) => {
    answered = true;
    return came;
  });
  while (under.asked.length === 0) await new Promise(setImmediate);
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(answered, false, 'it answered before it was stored');
  stored.resolve({});
  const { status, headers } = await response;
  const { id, statusUrl } = (await (await response).json()) as { id: string; statusUrl: string };
  assert.deepEqual([status, headers.get('preference-applied'), headers.get('location')], [202, 'respond-async', `/_/events/${id}`]);
  assert.deepEqual([statusUrl, headers.get('x-swiftlet-request-id')], [`/_/events/${id}`, id]);
  const event = acceptSchema.parse(under.asked[0]?.body);
  assert.deepEqual([event.id, event.tenant, event.function, event.body], [id, 'default', 'hello', 'AP8=']);
  const { headers: kept, ...line } = event.request;
  assert.deepEqual(line, { kind: 'http', method: 'POST', target: '/path?x=1', sourceIp: '127.0.0.1' });
  assert.ok(kept.includes('x-mine') && kept.includes('host') && !kept.includes('forged') && !kept.includes('content-length'));
});

const post = (url: string, body?: string | ReadableStream) =>
  fetch(url, { method: 'POST', ...(body === undefined ? {} : { body, duplex: 'half' as const }) });
const codeOf = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code];

test('an event log that is away: 503 at once', async (t) => {
  const under = await open(t);
  under.isThere = false;
  const startedAt = performance.now();
  assert.deepEqual(await codeOf(await post(`${under.url}/hello/`, 'x')), [503, 'EventNotStored']);
  assert.ok(performance.now() - startedAt < 4_000);
  assert.deepEqual(under.asked, []);
});

test('a log that cannot store it, or breaks off: 503, never 202', async (t) => {
  const under = await open(t);
  for (const code of ['StorageFull', 'Unavailable', 'Internal'] as const) {
    under.answer = () => Promise.reject(new SwiftletError(code, 'the reason'));
    const response = await post(`${under.url}/hello/`, 'x');
    assert.equal(response.headers.get('retry-after'), '1');
    const problem = (await response.json()) as { code: string; detail: string };
    assert.deepEqual([response.status, problem.code], [503, 'EventNotStored']);
    assert.match(problem.detail, /the reason; send it again/);
  }
});

test('no such function, or none known yet', async (t) => {
  const under = await open(t);
  assert.deepEqual(await codeOf(await post(`${under.url}/helo/`)), [404, 'FunctionNotFound']);
  under.knows = false;
  assert.deepEqual(await codeOf(await post(`${under.url}/helo/`)), [503, 'EventNotStored']);
});

test('keys go along, and a request that was sent before is answered with the id of the first', async (t) => {
  const under = await open(t);
  const first = '0196b0f2-aaaa-7bbb-8ccc-00000000000e';
  under.answer = () => Promise.resolve({ id: first });
  const headers = { 'idempotency-key': '"k-1"', 'x-swiftlet-order-key': 'customer 1' };
  const response = await fetch(`${under.url}/hello/`, { method: 'POST', headers });
  assert.deepEqual([response.status, ((await response.json()) as { id: string }).id], [202, first]);
  assert.equal(response.headers.get('location'), `/_/events/${first}`);
  const event = acceptSchema.parse(under.asked[0]?.body);
  assert.deepEqual([event.idempotencyKey, event.orderKey], ['k-1', 'customer 1']);
  const wrong = await fetch(`${under.url}/hello/`, { method: 'POST', headers: { 'idempotency-key': 'x'.repeat(300) } });
  assert.deepEqual(await codeOf(wrong), [400, 'BadRequest']);
  under.answer = () => Promise.reject(new SwiftletError('IdempotencyKeyReused', 'another body'));
  assert.deepEqual(await codeOf(await fetch(`${under.url}/hello/`, { method: 'POST', headers })), [422, 'IdempotencyKeyReused']);
});

test('a body over 256 KiB: 413, also when its length is not told', async (t) => {
  const under = await open(t);
  const tooLong = 'x'.repeat(256 * 1024 + 1);
  assert.deepEqual(await codeOf(await post(`${under.url}/hello/`, tooLong)), [413, 'RequestTooLarge']);
  assert.deepEqual(await codeOf(await post(`${under.url}/hello/`, new Blob([tooLong]).stream())), [413, 'RequestTooLarge']);
  assert.equal((await post(`${under.url}/hello/`, tooLong.slice(1))).status, 202);
});

test('a caller that hangs up in the middle of its body leaves nothing', async (t) => {
  const under = await open(t);
  const socket = connect(Number(new URL(under.url).port), '127.0.0.1');
  socket.write('POST /hello/ HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf');
  await new Promise((resolve) => setTimeout(resolve, 30));
  socket.destroy();
  assert.equal((await post(`${under.url}/hello/`)).status, 202);
  assert.equal(under.asked.length, 1);
});

test('too many bytes on their way to the log: 429 for more', async (t) => {
  const under = await open(t);
  const stored = Promise.withResolvers<object>();
  under.answer = () => stored.promise;
  const body = 'x'.repeat(256 * 1024);
  const first = Array.from({ length: 125 }, () => post(`${under.url}/hello/`, body));
  while (under.asked.length < 125) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(await codeOf(await post(`${under.url}/hello/`, body)), [429, 'TooManyRequests']);
  stored.resolve({});
  for (const response of await Promise.all(first)) assert.equal(response.status, 202);
  assert.equal((await post(`${under.url}/hello/`, body)).status, 202);
});

test('the state of an event is passed on', async (t) => {
  const under = await open(t);
  const id = '0196b0f2-aaaa-7bbb-8ccc-00000000000e';
  const event = { id, function: 'hello', state: 'waiting', acceptedAt: '2026-01-01T00:00:00.000Z', attempts: 0 };
  under.answer = () => Promise.resolve(event);
  assert.deepEqual(await (await fetch(`${under.url}/status/${id}`)).json(), event);
  assert.deepEqual(await codeOf(await fetch(`${under.url}/status/none`)), [404, 'EventNotFound']);
  under.maySee = false;
  assert.deepEqual(await codeOf(await fetch(`${under.url}/status/${id}`)), [404, 'EventNotFound'], 'of a function that is hidden');
  under.maySee = true;
  under.isThere = false;
  assert.deepEqual(await codeOf(await fetch(`${under.url}/status/${id}`)), [503, 'Unavailable']);
});

test('the preference is found wherever it stands', () => {
  for (const yes of ['respond-async', 'Respond-Async', 'wait=10, respond-async', 'respond-async; x=1', ' respond-async ,wait=5'])
    assert.ok(wantsNoAnswer(yes), yes);
  for (const no of ['', 'wait=10', 'respond-asynchronously', 'return=minimal; respond-async']) assert.ok(!wantsNoAnswer(no), no);
});
