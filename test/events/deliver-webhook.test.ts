/** Webhooks over real sockets; where names lead is in the test's hands. */
import assert from 'node:assert/strict';
import type { lookup } from 'node:dns';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { addressPolicy } from '../../src/role/address-policy.ts';
import type { Delivery } from '../../src/events/deliver.ts';
import { deliverToWebhook } from '../../src/events/deliver-webhook.ts';
import type { Variable } from '../../src/wire/variables.ts';
import { signatureHeaders } from '../../src/events/webhook-signature.ts';
import type { WebhookRequest } from '../../src/wire/event-calls.ts';

const body = Buffer.from('{"version":"1.0"}');
const nowMs = 1_700_000_000_000;
const never = new AbortController().signal;
const local = ['127.0.0.1/32'];

const deliveryTo = (url: string): Delivery<WebhookRequest> => ({
  id: 'the-event',
  tenant: 'default',
  function: 'hello',
  request: { kind: 'webhook', url, secretVariable: 'SECRET' },
  body,
  hops: 0,
  isServed: true,
  limitMs: 5_000,
});

async function receiver(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** @param addresses what each look-up says, one after the other */
function open(
  allowed: readonly string[],
  addresses: readonly (readonly string[])[] = [],
  secret: Variable = { kind: 'known', value: 'geheim' },
) {
  const asked: string[] = [];
  const answer = ((
    host: string,
    _options: object,
    callback: (error: Error | null, found: { address: string; family: number }[]) => void,
  ) => {
    const found = addresses[asked.length] ?? [];
    asked.push(host);
    callback(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as typeof lookup;
  const deliver = deliverToWebhook({
    policy: addressPolicy(allowed, () => []),
    variableOf: () => secret,
    now: () => nowMs,
    lookup: answer,
  });
  return { asked, deliver: (url: string) => deliver(deliveryTo(url), never) };
}

test('is sent with a signature that its receiver can check', async (t) => {
  const came = Promise.withResolvers<{ request: IncomingMessage; bytes: Buffer }>();
  const port = await receiver(t, (request, response) => {
    void buffer(request).then((bytes) => came.resolve({ request, bytes }));
    response.writeHead(204).end();
  });
  const { deliver, asked } = open(local, [['127.0.0.1']]);
  const outcome = await deliver(`http://hooks.test:${port}/path?x=1`);
  assert.ok(outcome.kind === 'answered' && outcome.result.status === 204);
  const { request, bytes } = await came.promise;
  assert.deepEqual([request.method, request.url, bytes, asked], ['POST', '/path?x=1', body, ['hooks.test']]);
  for (const [name, value] of Object.entries(signatureHeaders('the-event', body, 'geheim', nowMs)))
    assert.equal(request.headers[name], value);
  assert.deepEqual([request.headers['content-type'], request.headers.host], ['application/json', `hooks.test:${port}`]);
});

for (const status of [300, 302, 400, 404, 410, 500, 503]) {
  test(`status ${status} is a failure, and redirects are not followed`, async (t) => {
    let requests = 0;
    const port = await receiver(t, (_request, response) => {
      requests += 1;
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    const outcome = await open(local).deliver(`http://127.0.0.1:${port}/`);
    assert.ok(outcome.kind === 'failed' && outcome.error.code === 'WebhookFailed' && outcome.error.message.includes(String(status)));
    assert.equal(requests, 1);
  });
}

const spellings = [
  '127.0.0.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.1',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '169.254.169.254',
  '[fe80::1]',
  '0',
  'localhost',
];
for (const host of spellings) {
  test(`http://${host} is refused, and nobody is connected to`, async (t) => {
    const port = await receiver(t, () => assert.fail('it came'));
    const outcome = await open([], [['127.0.0.1']]).deliver(`http://${host}:${port}/`);
    assert.ok(outcome.kind === 'refused' && outcome.error.code === 'WebhookForbidden', JSON.stringify(outcome));
  });
}

test('a name is judged by the address that is connected to, at each attempt anew', async (t) => {
  let came = 0;
  const port = await receiver(t, (_request, response) => {
    came += 1;
    response.end();
  });
  const { deliver, asked } = open(local, [['127.0.0.1'], ['10.0.0.1'], ['169.254.169.254', '127.0.0.1']]);
  const url = `http://rebinds.test:${port}/`;
  const kinds = [await deliver(url), await deliver(url), await deliver(url)].map(({ kind }) => kind);
  assert.deepEqual([kinds, came, asked.length], [['answered', 'refused', 'answered'], 2, 3], 'of several, an allowed one is taken');
});

test('without its secret it is not sent', async (t) => {
  const port = await receiver(t, () => assert.fail('it came'));
  const outcome = await open(local, [], { kind: 'none' }).deliver(`http://127.0.0.1:${port}/`);
  assert.ok(outcome.kind === 'refused' && /SECRET/.test(outcome.error.message));
});

test('while control has not told its secret it waits, and that is no attempt', async (t) => {
  const port = await receiver(t, () => assert.fail('it came'));
  const outcome = await open(local, [], { kind: 'awaited', secret: 'hook-key' }).deliver(`http://127.0.0.1:${port}/`);
  assert.ok(outcome.kind === 'throttled' && /"hook-key".*SECRET.*not here yet/.test(outcome.error.message));
});

test('a receiver that is away, breaks off or has no name is a failure', async (t) => {
  const port = await receiver(t, (request) => request.socket.destroy());
  for (const url of [`http://127.0.0.1:${port}/`, 'http://127.0.0.1:9/']) {
    const outcome = await open(local).deliver(url);
    assert.ok(outcome.kind === 'failed' && outcome.error.code === 'WebhookFailed', url);
  }
});

test('an answer without end is not waited for', async (t) => {
  const port = await receiver(t, (_request, response) => {
    response.writeHead(200);
    response.write('x'.repeat(100_000));
  });
  assert.equal((await open(local).deliver(`http://127.0.0.1:${port}/`)).kind, 'answered');
});
