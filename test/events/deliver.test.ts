/** One delivery over a real socket: what the gateway gets, and what comes of each way that it can go. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { buffer } from 'node:stream/consumers';
import { type Delivery, deliverTo } from '../../src/events/deliver.ts';
import { maxBodyBytes } from '../../src/model/limits.ts';
import type { CallerRequest } from '../../src/wire/event-calls.ts';
import { tempFolder } from '../control/temp-folder.ts';

const delivery: Delivery<CallerRequest> = {
  id: 'the-event',
  tenant: 'default',
  function: 'hello',
  request: { kind: 'http', method: 'PUT', target: '/a?b=%20c', sourceIp: '10.0.0.9', headers: ['Host', 'x.test', 'a', '1', 'a', '2'] },
  body: Buffer.from([1, 0, 255]),
  hops: 0,
  isServed: true,
  limitMs: 5_000,
};
const never = new AbortController().signal;

async function gatewayOf(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const path = join(tempFolder(t), 'gateway.sock');
  const server = createServer(answer).listen(path);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return path;
}

test('the request arrives as it was sent, with the event’s id', async (t) => {
  const came = Promise.withResolvers<{ request: IncomingMessage; body: Buffer }>();
  const path = await gatewayOf(t, (request, response) => {
    void buffer(request).then((body) => came.resolve({ request, body }));
    response.end('fine');
  });
  const outcome = await deliverTo([path])(delivery, never);
  assert.deepEqual(outcome, { kind: 'answered', result: { status: 200, body: 'fine', encoding: 'utf8', isTruncated: false } });
  const { request, body } = await came.promise;
  assert.deepEqual([request.method, request.url, body], ['PUT', '/hello/a?b=%20c', Buffer.from([1, 0, 255])]);
  assert.deepEqual(request.rawHeaders.slice(0, 10), [
    ...delivery.request.headers,
    'x-swiftlet-event-id',
    'the-event',
    'x-swiftlet-source-ip',
    '10.0.0.9',
  ]);
});

test('an event goes to the path for events', async (t) => {
  const path = await gatewayOf(t, (request, response) => response.end(`${request.method ?? ''} ${request.url ?? ''}`));
  const outcome = await deliverTo([path])({ ...delivery, request: { ...delivery.request, kind: 'event', headers: [] } }, never);
  assert.ok(outcome.kind === 'answered' && outcome.result.body === 'POST /_/invoke/hello');
});

test('of a long answer the beginning is kept', async (t) => {
  const path = await gatewayOf(t, (_request, response) => response.end('x'.repeat(1_000_000)));
  const outcome = await deliverTo([path])(delivery, never);
  assert.ok(outcome.kind === 'answered' && outcome.result.isTruncated && outcome.result.body.length === 16 * 1024);
});

test('without a gateway no function has seen it', async (t) => {
  const outcome = await deliverTo([join(tempFolder(t), 'nobody.sock')])(delivery, never);
  assert.ok(outcome.kind === 'throttled' && outcome.error.code === 'Unavailable');
});

const broken: readonly (readonly [what: string, answer: (request: IncomingMessage, response: ServerResponse) => void, limitMs?: number])[] =
  [
    ['breaks the connection', (request) => request.socket.destroy()],
    ['breaks it in the middle of the answer', (request, response) => response.write('half', () => request.socket.destroy())],
    ['does not answer in time', () => undefined, 50],
    ['does not end its answer in time', (_request, response) => response.write('half'), 50],
  ];
for (const [what, answer, limitMs = 5_000] of broken) {
  test(`a gateway that ${what}: the function may have run`, async (t) => {
    const outcome = await deliverTo([await gatewayOf(t, answer)])({ ...delivery, limitMs }, never);
    assert.ok(outcome.kind === 'failed' && outcome.error.code === 'DeliveryInterrupted', JSON.stringify(outcome));
  });
}

test('it is given up when told to', async (t) => {
  const stop = new AbortController();
  const path = await gatewayOf(t, () => stop.abort());
  const outcome = await deliverTo([path])(delivery, stop.signal);
  assert.equal(outcome.kind, 'failed');
});

test('what no request can hold is not sent', async (t) => {
  const path = await gatewayOf(t, () => assert.fail('it was sent'));
  const outcome = await deliverTo([path])({ ...delivery, body: Buffer.alloc(maxBodyBytes + 1) }, never);
  assert.ok(outcome.kind === 'refused' && outcome.error.code === 'RequestTooLarge', JSON.stringify(outcome));
});
