/** Several gateways on one port: what holds for them together. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { WebSocket as Client } from 'ws';
import { freePort } from '../../bench/free-port.ts';
import { processTree } from '../../bench/processes.ts';
import { certificateFor, openAuthority } from '../wire/secure-places.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { openSocket } from './http2-sockets.ts';
import { type LambdaUnderTest, lambdaOf } from './lambda-under-test.ts';
import { killRole } from './platform-processes.ts';
import { startCallers } from './steady-callers.ts';

const gateways = 2;
const folder = mkdtempSync(join(tmpdir(), 'swiftlet-gateways-'));
let e2e: E2e;
let lambda: LambdaUnderTest;
let tlsPort: number;
before(async () => {
  const { key, certificate, authority } = await certificateFor(await openAuthority(), 'gateway', 3_600_000);
  const files = { key: join(folder, 'key.pem'), certificate: join(folder, 'certificate.pem') };
  writeFileSync(files.key, key, { mode: 0o600 });
  writeFileSync(files.certificate, certificate + authority);
  tlsPort = await freePort();
  const environment = {
    SWIFTLET_GATEWAYS: String(gateways),
    SWIFTLET_TLS_PORT: String(tlsPort),
    SWIFTLET_TLS_CERTIFICATE: files.certificate,
    SWIFTLET_TLS_KEY: files.key,
  };
  e2e = await openE2e({ environment });
  lambda = lambdaOf(e2e);
});
after(async () => {
  await lambda[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const roles = () =>
  processTree(e2e.platform.pid).filter(({ parent, title }) => parent === e2e.platform.pid && title.startsWith('swiftlet gateway'));

/** A request on a connection of its own. @returns its status and answer */
const alone = (path: string, headers = {}): Promise<{ status: number; text: string }> =>
  new Promise((resolve, reject) => {
    get(`${e2e.platform.gatewayUrl}${path}`, { agent: false, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    }).once('error', reject);
  });

/** What each gateway answered of a function, by its number. */
async function answered(name: string, of: E2e = e2e): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const line = /^swiftlet_requests_total\{gateway="(\d+)",.*function="([^"]+)",outcome="ok"\} (\d+)$/;
  for (const [, gateway = '', named, count] of (await of.platform.api.metrics()).split('\n').map((text) => line.exec(text) ?? []))
    if (named === name) counts.set(gateway, Number(count));
  return counts;
}

/** Has the function answered by both gateways, so that each of them knows it. */
async function bothKnow(path: string, name: string): Promise<void> {
  await eventually(
    async () => {
      await alone(path);
      return answered(name);
    },
    (counts) => counts.size === gateways,
    20_000,
  );
}

/** Answers with how many requests it has at once, and which instance it is. */
const overlapping = (ms: number) => `
  let now = 0;
  const born = Math.random();
  export const handler = async () => {
    now += 1;
    const seen = now;
    await new Promise((resolve) => setTimeout(resolve, ${ms}));
    now -= 1;
    return { seen, born };
  };`;
const parsed = ({ text }: { text: string }) => JSON.parse(text) as { seen: number; born: number };

test('connections are spread, and each gateway’s figures are told apart', async () => {
  await e2e.publish('spread', 'export const handler = () => "x";', { concurrency: 10 });
  await bothKnow('/spread/', 'spread');
  const health = (await (await fetch(`${e2e.platform.apiUrl}/healthz`)).json()) as { roles: { gateway: { detail: string } } };
  assert.equal(health.roles.gateway.detail, `${gateways} gateways take requests`);
  const text = await e2e.platform.api.metrics();
  assert.equal(text.match(/^# TYPE swiftlet_requests_total /gm)?.length, 1);
});

for (const [concurrency, callers] of [
  [1, 6],
  [4, 12],
] as const) {
  test(`one instance of concurrency ${concurrency} serves both gateways in turn, and never has more requests than it takes`, async () => {
    const name = `only-${concurrency}`;
    await e2e.publish(name, overlapping(5), { concurrency, maximum: 1, queueTimeoutMs: 30_000 });
    const call = async () => {
      const answers = [];
      for (let at = 0; at < 10; at++) answers.push(await alone(`/${name}/`));
      return answers;
    };
    const answers = (await Promise.all(Array.from({ length: callers }, call))).flat();
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.ok(Math.max(...answers.map((answer) => parsed(answer).seen)) <= concurrency);
    assert.equal(new Set(answers.map((answer) => parsed(answer).born)).size, 1);
    await bothKnow(`/${name}/`, name);
  });
}

test('reserved concurrency holds for both together, and all of it can be had at either', async () => {
  const reserved = 4;
  const code = `export const handler = async (event) => {
    const from = Date.now();
    await new Promise((resolve) => setTimeout(resolve, Number(event.queryStringParameters?.ms ?? 0)));
    return [from, Date.now()];
  };`;
  await e2e.publish('reserved', code, { concurrency: 1, maximum: 20, protect: { reservedConcurrency: reserved } });
  await bothKnow('/reserved/', 'reserved');
  for (let round = 0; round < 3; round++) {
    const all = await Promise.all(Array.from({ length: 5 * reserved }, () => alone('/reserved/?ms=2000')));
    const spans = all.flatMap(({ status, text }) => (status === 200 ? [JSON.parse(text) as [number, number]] : []));
    assert.deepEqual(
      all.filter(({ status }) => status !== 200 && status !== 429),
      [],
    );
    for (const [at] of spans) assert.ok(spans.filter(([from, to]) => from <= at && at < to).length <= reserved);
    assert.ok(spans.length > 0);
    // One after the other, wherever it comes: there is always a place.
    for (let at = 0; at < 6; at++) {
      const { status, text } = await alone('/reserved/');
      assert.equal(status, 200, text);
    }
  }
});

test('a rate holds for both together, of a function and of a route', async () => {
  const rates = [{ perSecond: 0.001, burst: 10 }];
  await e2e.publish('rated', 'export const handler = () => "x";', { protect: { rates }, concurrency: 10 });
  await e2e.publish('route-rated', 'export const handler = () => "x";', { routes: [{ path: '/by/rate', rates }], concurrency: 10 });
  for (const path of ['/rated/', '/by/rate']) {
    const statuses = (await Promise.all(Array.from({ length: 40 }, () => alone(path)))).map(({ status }) => status);
    assert.deepEqual([statuses.filter((one) => one === 200).length, statuses.filter((one) => one === 429).length], [10, 30]);
  }
});

test('a signed request that was taken by one gateway is refused by the other, too', async () => {
  const config = {
    environment: { KEY: 'secret' },
    url: { kind: 'hmac' as const, secretVariables: ['KEY'], skewMs: 300_000 },
    concurrency: 10,
  };
  await e2e.publish('signed', 'export const handler = () => "x";', config);
  const signed = () => {
    const [seconds, nonce] = [Math.floor(Date.now() / 1_000), randomUUID()];
    const mac = createHmac('sha256', 'secret').update(`${seconds}\n${nonce}\nGET\n/signed/\n`).digest('hex');
    return { 'x-swiftlet-signature': `t=${seconds},n=${nonce},v1=${mac}` };
  };
  // Both have the secret.
  await eventually(
    async () => {
      assert.equal((await alone('/signed/', signed())).status, 200);
      return answered('signed');
    },
    (counts) => counts.size === gateways,
    20_000,
  );
  const headers = signed();
  const statuses = (await Promise.all(Array.from({ length: 20 }, () => alone('/signed/', headers)))).map(({ status }) => status);
  assert.deepEqual([statuses.filter((one) => one === 200).length, statuses.filter((one) => one === 401).length], [1, 19]);
});

test('by TLS, by Lambda’s API and as WebSockets callers come to both gateways', async () => {
  const code = `export default {
    fetch(request, env, context) {
      if (request.headers.get('upgrade') !== 'websocket') return new Response('plain');
      const { socket, response } = context.upgradeWebSocket();
      socket.onmessage = ({ data }) => socket.send('said ' + data);
      return response;
    },
  };`;
  for (const name of ['by-tls', 'sockets', 'sockets-2']) await e2e.publish(name, code, { concurrency: 100, maximum: 2 });
  await e2e.publish('by-lambda', 'export const handler = (event) => event;', { concurrency: 10 });
  // Each on a connection of its own, until both have taken some.
  const untilBoth = (name: string, come: () => Promise<unknown>) =>
    eventually(
      async () => {
        await come();
        return answered(name);
      },
      (counts) => counts.size === gateways,
      30_000,
    );
  const session = () => connect(`https://127.0.0.1:${tlsPort}`, { rejectUnauthorized: false });
  await untilBoth('by-tls', async () => {
    const own = session();
    const stream = own.request({ ':path': '/by-tls/' });
    const [{ ':status': status }] = (await once(stream, 'response')) as [Record<string, unknown>];
    stream.resume();
    await once(stream, 'close');
    own.close();
    assert.equal(status, 200);
  });
  const key = await lambda.key('--role', 'admin');
  await untilBoth('by-lambda', async () => {
    const client = lambda.client(key);
    const { Payload } = await client.send(new InvokeCommand({ FunctionName: 'by-lambda', Payload: Buffer.from('{"a":1}') }));
    assert.equal(Buffer.from(Payload ?? []).toString(), '{"a":1}');
    client.destroy();
  });
  // One that is open is counted when it ends.
  await untilBoth('sockets', async () => {
    const client = new Client(`${e2e.platform.gatewayUrl.replace('http', 'ws')}/sockets/`);
    await once(client, 'open');
    client.send('it');
    const [said] = (await once(client, 'message')) as [Buffer];
    assert.equal(said.toString(), 'said it');
    client.close(1000);
    await once(client, 'close');
  });
  await untilBoth('sockets-2', async () => {
    const own = session();
    const socket = await openSocket(own, '/sockets-2/');
    socket.say('it');
    await eventually(socket.frames, (frames) => frames[0]?.payload.toString() === 'said it');
    socket.close(1000);
    await once(socket.stream, 'close');
    own.close();
  });
});

test('while the agent is replaced, signed requests wait for it rather than fail, and none passes twice', async () => {
  const signed = () => {
    const [seconds, nonce] = [Math.floor(Date.now() / 1_000), randomUUID()];
    const mac = createHmac('sha256', 'secret').update(`${seconds}\n${nonce}\nGET\n/signed/\n`).digest('hex');
    return { 'x-swiftlet-signature': `t=${seconds},n=${nonce},v1=${mac}` };
  };
  const before = signed();
  assert.equal((await alone('/signed/', before)).status, 200);
  const killed = killRole(e2e.platform, 'agent');
  const during = await Promise.all(Array.from({ length: 10 }, () => alone('/signed/', signed())));
  await killed;
  assert.deepEqual([...new Set(during.map(({ status }) => status))], [200], JSON.stringify(during));
  const again = await Promise.all(Array.from({ length: 10 }, () => alone('/signed/', before)));
  assert.deepEqual([...new Set(again.map(({ status }) => status))], [401]);
});

test('three gateways are as one, too', async () => {
  await using three = await openE2e({ environment: { SWIFTLET_GATEWAYS: '3' } });
  const callOf = (path: string) => three.call(path, { headers: { connection: 'close' } });
  await three.publish('only', overlapping(5), { concurrency: 2, maximum: 1, queueTimeoutMs: 30_000 });
  const answers = (await Promise.all(Array.from({ length: 60 }, () => callOf('/only/')))).map(({ status, json }) => ({ status, ...json }));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.equal(new Set(answers.map((answer) => Reflect.get(answer, 'born') as unknown)).size, 1);
  assert.ok(answers.every((answer) => Number(Reflect.get(answer, 'seen')) <= 2));
  await eventually(
    async () => {
      await callOf('/only/');
      return answered('only', three);
    },
    (counts) => counts.size === 3,
    30_000,
  );
  await three.publish('rated', 'export const handler = () => "x";', {
    protect: { rates: [{ perSecond: 0.001, burst: 10 }] },
    concurrency: 10,
  });
  const statuses = (await Promise.all(Array.from({ length: 30 }, () => callOf('/rated/')))).map(({ status }) => status);
  assert.deepEqual([statuses.filter((one) => one === 200).length, statuses.filter((one) => one === 429).length], [10, 20]);
});

for (const [signal, breaks] of [
  ['SIGKILL', true],
  ['SIGTERM', false],
] as const) {
  test(`of two gateways one gets ${signal}: ${breaks ? 'only what it had in hand breaks' : 'no request fails'}, and the other goes on`, async () => {
    const name = `after-${signal.toLowerCase()}`;
    await e2e.publish(name, `${overlapping(2)}\nconst whole = handler;\nexport const seen = async () => (await whole()).seen;`, {
      handler: 'index.seen',
      concurrency: 1,
      maximum: 6,
      queueTimeoutMs: 30_000,
    });
    await bothKnow(`/${name}/`, name);
    const callers = 8;
    const before = roles();
    const running = startCallers(`${e2e.platform.gatewayUrl}/${name}/`, callers, () => '1');
    const more = () => {
      const wanted = running.calls.length + 300;
      return eventually(
        () => running.calls.length,
        (count) => count >= wanted,
        60_000,
      );
    };
    await more();
    process.kill(before[0]?.pid ?? 0, signal);
    await more();
    await eventually(roles, (now) => now.length === gateways && now.every(({ pid }) => pid !== before[0]?.pid), 60_000);
    await more();
    await running.stop();
    const wrong = running.calls.flatMap((call) => call.wrong ?? []);
    assert.ok(wrong.length <= (breaks ? callers : 0), wrong.join('\n'));
    for (const one of wrong) assert.ok(['ECONNRESET', 'EPIPE', 'cut off'].includes(one), one);
    assert.equal(roles().find(({ pid }) => pid === before[1]?.pid)?.title, before[1]?.title);
  });
}
