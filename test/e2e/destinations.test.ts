/** Destinations on a real platform: another function, a webhook, and functions that cause each other. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { type E2e, eventually, openE2e } from './functions.ts';

const answers = 'export const handler = (event) => ({ doubled: 2 * event.n });';
const throws = 'export const handler = () => { throw new Error("never"); };';
const told = 'export const handler = (event) => { console.log(JSON.stringify(event)); };';
const quick = { retries: 1, backoffMs: 50 };

let e2e: E2e;
before(async () => {
  e2e = await openE2e({ environment: { SWIFTLET_WEBHOOK_ALLOW: '127.0.0.1/32' } });
  await e2e.publish('told', told);
});
after(() => e2e[Symbol.asyncDispose]());

const headers = () => ({ authorization: `Bearer ${e2e.platform.token}` });
async function send(name: string, event: object): Promise<string> {
  const answer = await e2e.call(`/_/invoke/${name}`, {
    method: 'POST',
    body: JSON.stringify(event),
    headers: { ...headers(), prefer: 'respond-async' },
  });
  assert.equal(answer.status, 202, answer.text);
  return String(answer.json['id']);
}
async function secret(method: string, path: string, value: string): Promise<void> {
  const response = await fetch(`${e2e.platform.apiUrl}/v1/secrets/${path}`, {
    method,
    headers: { ...headers(), 'content-type': 'application/json' },
    body: JSON.stringify({ value }),
  });
  assert.ok(response.ok, await response.text());
}
interface Told {
  readonly requestContext: { readonly requestId: string; readonly condition: string };
  readonly requestPayload: unknown;
  readonly responsePayload: unknown;
}
const toldOf = (id: string): Promise<Told | undefined> =>
  eventually(
    async () =>
      (await e2e.log('told'))
        .flatMap(({ message }) => (typeof message === 'string' && message.startsWith('{') ? [JSON.parse(message) as Told] : []))
        .find(({ requestContext }) => requestContext.requestId === id),
    (found) => found !== undefined,
  );

test('another function is invoked with how the event ended', async () => {
  const destinations = { success: { kind: 'function', function: 'told' }, failure: { kind: 'function', function: 'told' } } as const;
  await e2e.publish('answers', answers, { async: quick, destinations });
  await e2e.publish('throws', throws, { async: { ...quick, onFailure: 'discard' }, destinations });
  const good = await toldOf(await send('answers', { n: 4 }));
  assert.deepEqual([good?.requestContext.condition, good?.requestPayload, good?.responsePayload], ['Success', { n: 4 }, { doubled: 8 }]);
  const bad = await toldOf(await send('throws', { n: 5 }));
  assert.deepEqual([bad?.requestContext.condition, bad?.requestPayload], ['RetriesExhausted', { n: 5 }]);
});

test('a webhook gets it, signed with a secret, again until it takes it; a rotation is in force with the next one', async (t) => {
  const came: { request: IncomingMessage; body: string }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      came.push({ request, body });
      response.writeHead(came.length === 1 ? 503 : 200).end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  await secret('PUT', 'hook-key', 'the first of two');
  await e2e.publish('hooks', answers, {
    async: quick,
    secrets: { SECRET: { secret: 'hook-key' } },
    destinations: { success: { kind: 'webhook', url, secretVariable: 'SECRET' } },
  });
  const id = await send('hooks', { n: 1 });
  await eventually(
    () => came.length,
    (count) => count === 2,
  );
  await secret('POST', 'hook-key/rotate', 'the second of two');
  await send('hooks', { n: 2 });
  await eventually(
    () => came.length,
    (count) => count === 3,
  );
  const [first, second] = came;
  assert.deepEqual(first?.body, second?.body);
  assert.equal((JSON.parse(second?.body ?? '') as Told).requestContext.requestId, id);
  for (const [at, { request, body }] of came.entries()) {
    const key = at < 2 ? 'the first of two' : 'the second of two';
    const signed = `${String(request.headers['webhook-id'])}.${String(request.headers['webhook-timestamp'])}.${body}`;
    assert.equal(request.headers['webhook-signature'], `v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  }
  assert.equal(first?.request.headers['webhook-id'], second?.request.headers['webhook-id']);
});

test('a webhook to an address that is not public is a dead letter that says so', async () => {
  await e2e.publish('leaks', answers, {
    environment: { SECRET: 'geheim' },
    destinations: { success: { kind: 'webhook', url: 'http://169.254.169.254/latest/meta-data', secretVariable: 'SECRET' } },
  });
  await send('leaks', { n: 1 });
  const letters = async () => {
    const response = await fetch(`${e2e.platform.apiUrl}/v1/dead-letters?function=leaks`, { headers: headers() });
    return ((await response.json()) as { events: { reason: string; error: { code: string } }[] }).events;
  };
  const [letter] = await eventually(letters, ({ length }) => length === 1);
  assert.deepEqual([letter?.reason, letter?.error.code], ['refused', 'WebhookForbidden']);
});

test('functions that cause each other are stopped, whatever they send', async () => {
  const forges = `export const handler = (event) => {
    console.log('ran');
    return { statusCode: 200, headers: { 'x-swiftlet-hops': '0' }, body: JSON.stringify({ hops: 0, requestContext: { hops: 0 } }) };
  };`;
  for (const [name, other] of [
    ['ping', 'pong'],
    ['pong', 'ping'],
  ] as const)
    await e2e.publish(name, forges, { async: quick, destinations: { success: { kind: 'function', function: other } } });
  await send('ping', { hops: 0 });
  const letters = async () => {
    const response = await fetch(`${e2e.platform.apiUrl}/v1/dead-letters`, { headers: headers() });
    return ((await response.json()) as { events: { reason: string; error: { code: string } }[] }).events.filter(
      ({ reason }) => reason === 'recursion',
    );
  };
  assert.equal((await eventually(letters, ({ length }) => length === 1, 10_000))[0]?.error.code, 'RecursionStopped');
  const runs = async () => [...(await e2e.log('ping')), ...(await e2e.log('pong'))].filter(({ message }) => message === 'ran').length;
  await eventually(runs, (count) => count === 17);
});

test('a webhook without its secret, or with a password in its URL, is refused when it is deployed', async () => {
  const webhook = (change: object) => ({
    destinations: { success: { kind: 'webhook', url: 'https://hooks.test/', secretVariable: 'SECRET', ...change } },
  });
  await assert.rejects(() => e2e.publish('wrong', answers, webhook({}) as never), /destinations: .*secret has no value/);
  await assert.rejects(() => e2e.publish('wrong', answers, webhook({ url: 'https://a:b@hooks.test/' }) as never), /no password/);
  await assert.rejects(() => e2e.publish('wrong', answers, webhook({ url: 'ftp://hooks.test/' }) as never), /https/);
});
