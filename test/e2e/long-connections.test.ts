/** Connections that live for long: WebSockets and Server-Sent Events, from real clients to functions in real sandboxes. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket as Client, type ClientOptions } from 'ws';
import { type E2e, eventually, openE2e } from './functions.ts';
import { connectTo, statusesIn } from './raw-http.ts';

const code = `
const open = new Set();
export default {
  fetch(request, env, context) {
    const path = new URL(request.url).pathname;
    if (request.headers.get('upgrade') !== 'websocket') return new Response('no handshake', { status: 426 });
    if (path === '/closed') return new Response('not today', { status: 403 });
    if (path === '/ignored') return new Response('hello');
    const { socket, response } = context.upgradeWebSocket(path === '/protocol' ? { protocol: 'second' } : {});
    response.headers.set('x-mine', 'yes');
    socket.addEventListener('open', () => { open.add(socket); socket.send('open ' + socket.readyState); });
    socket.addEventListener('close', ({ code, reason }) => { open.delete(socket); console.log('closed', code, reason); });
    socket.addEventListener('message', async ({ data }) => {
      if (data === 'flood') { for (let n = 0; n < 24; n++) socket.send(new Uint8Array(1024 * 1024).fill(n)); }
      else if (data === 'hold') { socket.pause(); setTimeout(() => socket.resume(), 600); }
      else if (data === 'leave') socket.close(4001, 'as asked');
      else if (data === 'exit') process.exit(3);
      else if (data === 'reject') throw new Error('nobody waits for this');
      else socket.send(data);
    });
    socket.addEventListener('message', ({ data }) => { if (data === 'throw') throw new Error('thrown at once'); });
    return response;
  },
};`;

const ticks = `
let made = 0, tell;
export default {
  fetch(request) {
    if (new URL(request.url).pathname === '/next') { tell(); return new Response(); }
    request.signal.addEventListener('abort', () => console.log('aborted'));
    const stream = new ReadableStream({
      async pull(controller) {
        if (made > 0) await new Promise((resolve) => (tell = resolve));
        controller.enqueue('data: ' + made++ + '\\n\\n');
      },
      cancel: () => console.log('cancelled'),
    }, { highWaterMark: 0 });
    return new Response(stream, { headers: { 'content-type': 'text/event-stream' } });
  },
};`;

const asgi = `
async def app(scope, receive, send):
    if scope['type'] != 'websocket' or scope['path'] == '/ignored':
        return
    await receive()
    if scope['path'] == '/closed':
        await send({'type': 'websocket.close'})
        return
    await send({'type': 'websocket.accept', 'headers': [(b'x-mine', b'yes')]})
    await send({'type': 'websocket.send', 'text': 'open 1'})
    while True:
        message = await receive()
        if message['type'] == 'websocket.disconnect':
            print('closed', message['code'], message['reason'])
            return
        if message.get('text') == 'leave':
            await send({'type': 'websocket.close', 'code': 4001, 'reason': 'as asked'})
        elif message.get('text') == 'flood':
            for n in range(24):
                await send({'type': 'websocket.send', 'bytes': bytes([n]) * 1024 * 1024})
        else:
            await send({**message, 'type': 'websocket.send'})
`;
const server = readFileSync(new URL('../programs/socket-server.mjs', import.meta.url));

let e2e: E2e;
before(async () => {
  e2e = await openE2e();
  await Promise.all([
    // Shorter than the connections live, and asleep as soon as nobody is there.
    e2e.publish('talks', code, { concurrency: 10, maximum: 1, timeoutMs: 1_000, idleMs: 2_000, freezeMs: 50 }),
    e2e.publish('closed', code, { url: 'token' }),
    e2e.publish('ticks', ticks, { concurrency: 2 }),
    e2e.publish('plain', 'export const handler = () => "an event";'),
    e2e.publish('python', { 'app.py': asgi }, { runtime: 'python3', handler: 'app.app', concurrency: 10, timeoutMs: 30_000 }),
    e2e.publish('server', { 'server.mjs': server }, { runtime: 'http', handler: 'node server.mjs', concurrency: 10, timeoutMs: 30_000 }),
  ]);
});
after(() => e2e[Symbol.asyncDispose]());

const urlOf = (path: string): string => `${e2e.platform.gatewayUrl.replace('http', 'ws')}/${path}`;

interface Talk {
  readonly client: Client;
  /** The next message. */
  readonly next: () => Promise<Buffer>;
  /** Resolves with the code and the reason when it is closed. */
  readonly closed: Promise<string>;
}

/** Connects, and takes the function's greeting. */
async function talk(path = 'talks/', protocols: string[] = []): Promise<Talk> {
  const client = new Client(urlOf(path), protocols);
  const came: Buffer[] = [];
  const waiting: ((message: Buffer) => void)[] = [];
  client.on('message', (data: Buffer) => {
    const waiter = waiting.shift();
    if (waiter === undefined) came.push(data);
    else waiter(data);
  });
  const closed = new Promise<string>((resolve) => client.once('close', (number, reason) => resolve(`${number} ${reason.toString()}`)));
  client.on('error', () => undefined);
  const next = () => {
    const first = came.shift();
    return first === undefined ? new Promise<Buffer>((resolve) => waiting.push(resolve)) : Promise.resolve(first);
  };
  assert.equal((await next()).toString(), 'open 1');
  return { client, next, closed };
}

/** What a handshake is answered with that is not taken. */
async function refused(path: string, options: ClientOptions = {}): Promise<{ status: number; text: string; response: IncomingMessage }> {
  const client = new Client(urlOf(path), options);
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text, response };
}

test('the client of the web itself: text and bytes come back, and a close with its code', async () => {
  const client = new WebSocket(urlOf('talks/protocol'), ['first', 'second']);
  client.binaryType = 'arraybuffer';
  const messages: unknown[] = [];
  client.onmessage = ({ data }) => {
    messages.push(data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data);
    if (messages.length === 3) client.send('leave');
  };
  client.onopen = () => {
    client.send('grüße');
    client.send(Uint8Array.of(0, 255, 7));
  };
  const { code: number, reason, wasClean } = await new Promise<CloseEvent>((resolve) => (client.onclose = resolve));
  assert.deepEqual(messages, ['open 1', 'grüße', [0, 255, 7]]);
  assert.deepEqual([client.protocol, number, reason, wasClean], ['second', 4001, 'as asked', true]);
});

test('a message as long as a request may be, and nothing longer', async () => {
  const { client, next, closed } = await talk();
  const sent = Buffer.alloc(6 * 1024 * 1024, 'long ');
  client.send(sent);
  assert.ok((await next()).equals(sent));
  client.send(Buffer.concat([sent, Buffer.of(1)]));
  assert.match(await closed, /^1009/);
});

test('who does not read is not sent more, in both directions, and gets all of it later', async () => {
  const { client, next, closed } = await talk();
  client.pause();
  client.send('flood');
  await sleep(400);
  client.resume();
  for (let n = 0; n < 24; n++) {
    const message = await next();
    assert.ok(message.length === 1024 * 1024 && message.every((byte) => byte === n), `message ${n}`);
  }
  client.send('hold');
  const sent = Array.from({ length: 8 }, (_, n) => Buffer.alloc(1024 * 1024, n));
  for (const message of sent) client.send(message);
  await sleep(200);
  assert.ok(client.bufferedAmount > 1024 * 1024, `only ${client.bufferedAmount} bytes wait at the client`);
  for (const message of sent) assert.ok((await next()).equals(message));
  client.close(1000, 'done');
  assert.equal(await closed, '1000 done');
});

test('handshakes that nobody takes are answered in words', async () => {
  const cases: [path: string, options: ClientOptions, status: number, text: RegExp][] = [
    ['plain/', {}, 501, /"plain\\": it takes no WebSocket; export an object with fetch\(\)/],
    ['talks/ignored', {}, 501, /answered a WebSocket handshake with status 200; to take it, call context.upgradeWebSocket/],
    ['talks/closed', {}, 403, /^not today$/],
    ['missing/', {}, 404, /there is no function/],
    ['closed/', {}, 401, /needs a token/],
    ['talks/', { protocolVersion: 8 }, 400, /sec-websocket-version: 13/],
  ];
  for (const [path, options, status, text] of cases) {
    const answer = await refused(path, options);
    assert.deepEqual([path, answer.status], [path, status], answer.text);
    assert.match(answer.text, text);
  }
  const { client, closed } = await talkWithToken();
  client.close(1000);
  assert.match(await closed, /^1000/);
});

async function talkWithToken(): Promise<{ client: Client; closed: Promise<string> }> {
  const client = new Client(urlOf('closed/'), { headers: { authorization: `Bearer ${e2e.platform.token}` } });
  const [response] = (await once(client, 'upgrade')) as [IncomingMessage];
  assert.equal(response.headers['x-mine'], 'yes');
  assert.match(String(response.headers['server-timing']), /^queue;dur=/);
  return { client, closed: once(client, 'close').then(([number]) => String(number as number)) };
}

test('a handshake behind a request that is not answered is refused in its turn; one with bytes behind it is taken', async () => {
  const handshake =
    'Host: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
  const socket = await connectTo(e2e.platform.gatewayUrl);
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.write(`GET /talks/ HTTP/1.1\r\nHost: a\r\n\r\nGET /talks/ HTTP/1.1\r\n${handshake}`);
  await eventually(
    () => statusesIn(text),
    (statuses) => statuses.length === 2,
  );
  assert.deepEqual(statusesIn(text), [426, 400]);
  // A body that does not come is not waited for.
  const bodied = await connectTo(e2e.platform.gatewayUrl);
  bodied.write(`GET /talks/ HTTP/1.1\r\nContent-Length: 3\r\n${handshake}`);
  const [answer] = (await once(bodied, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1.1 400 .*a WebSocket handshake has no body/s);
  bodied.destroy();
  text = '';
  // A masked frame with the text "hi", and one that closes.
  socket.write(
    Buffer.concat([Buffer.from(`GET /talks/ HTTP/1.1\r\n${handshake}`), Buffer.from('818200000000' + '6869' + '888000000000', 'hex')]),
  );
  await once(socket, 'end');
  assert.match(text, /^HTTP\/1.1 101 .*\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/s);
  assert.match(text, /\r\n\r\n\x81\x06open 1\x81\x02hi\x88\x00$/s);
  socket.destroy();
});

test('what a listener throws ends its connection with 1011, a lost promise all of them, an exit without a word', async () => {
  const [one, other] = [await talk(), await talk()];
  one.client.send('throw');
  assert.equal(await one.closed, '1011 the function failed');
  other.client.send('still there');
  assert.equal((await other.next()).toString(), 'still there');
  const third = await talk();
  third.client.send('reject');
  assert.deepEqual(await Promise.all([third.closed, other.closed]), ['1011 the function failed', '1011 the function failed']);
  // Who comes while its process ends is told so.
  await eventually(
    () => e2e.call('/talks/'),
    ({ status }) => status === 426,
  );
  const last = await talk();
  last.client.send('exit');
  assert.equal(await last.closed, '1006 ');
});

test('a connection outlives time limits, idle times and versions; nothing freezes its instance', async () => {
  const { client, next, closed } = await talk();
  await e2e.publish('talks', code.replace('open 1', 'newer'), { concurrency: 10, maximum: 1 });
  await sleep(2_500);
  client.send('after all');
  assert.equal((await next()).toString(), 'after all');
  const states = (await e2e.platform.api.instances('talks')).map(({ state }) => state);
  assert.deepEqual(states, ['leased']);
  // A caller that is gone without a word.
  client.terminate();
  assert.match(await closed, /^1006/);
  await eventually(
    () => e2e.log('talks'),
    (records) => records.some(({ message }) => message === 'closed 1006 '),
  );
  const metrics = await eventually(
    async () => (await fetch(`${e2e.platform.apiUrl}/metrics`, { headers: { authorization: `Bearer ${e2e.platform.token}` } })).text(),
    (text) => /^swiftlet_requests_in_flight 0$/m.test(text),
  );
  assert.match(metrics, /^swiftlet_web_sockets 0$/m);
});

test('an ASGI application has them as a function in Node.js does', async () => {
  const { client, next, closed } = await talk('python/');
  client.send('grüße');
  assert.equal((await next()).toString(), 'grüße');
  const sent = Buffer.alloc(6 * 1024 * 1024, 'long ');
  client.send(sent);
  assert.ok((await next()).equals(sent));
  client.pause();
  client.send('flood');
  await sleep(300);
  client.resume();
  for (let n = 0; n < 24; n++) {
    const message = await next();
    assert.ok(message.length === 1024 * 1024 && message.every((byte) => byte === n), `message ${n}`);
  }
  client.send('leave');
  assert.equal(await closed, '4001 as asked');
  const longer = await talk('python/');
  longer.client.send(Buffer.concat([sent, Buffer.of(1)]));
  assert.match(await longer.closed, /^1009/);
  assert.equal((await refused('python/closed')).status, 403);
  assert.equal((await refused('python/ignored')).status, 502);
  const gone = await talk('python/');
  gone.client.terminate();
  await eventually(
    () => e2e.log('python'),
    (records) =>
      ['closed 4001 as asked', 'closed 1006 '].every((said) => records.some(({ message }) => String(message).trim() === said.trim())),
  );
});

test('so has a server, and its frames pass as they are', async () => {
  const { client, next, closed } = await talk('server/');
  client.send('hello');
  assert.equal((await next()).toString(), 'sayhello');
  client.close(4002, 'enough');
  assert.equal(await closed, '4002 enough');
  assert.deepEqual(await refused('server/closed').then(({ status, text }) => [status, text]), [403, 'not today']);
  const gone = await talk('server/');
  gone.client.send('exit');
  assert.match(await gone.closed, /^1006/);
  await eventually(
    () => e2e.call('/server/'),
    ({ status, text }) => status === 200 && text === 'no handshake',
  );
});

test('Server-Sent Events come one by one, and a caller that hangs up reaches the function', async () => {
  const { body } = await fetch(`${e2e.platform.gatewayUrl}/ticks/`);
  const reader = (body ?? new ReadableStream()).getReader();
  const next = async () => Buffer.from((await reader.read()).value as Uint8Array).toString();
  assert.equal(await next(), 'data: 0\n\n');
  // The next one is made when the first has come.
  await e2e.call('/ticks/next');
  assert.equal(await next(), 'data: 1\n\n');
  await reader.cancel();
  await eventually(
    () => e2e.log('ticks'),
    (records) => records.some(({ message }) => message === 'aborted') && records.some(({ message }) => message === 'cancelled'),
  );
});

test('a stop of the platform tells callers so, and waits for them', async () => {
  const talks = await Promise.all([talk(), talk('python/'), talk('server/')]);
  process.kill(e2e.platform.pid, 'SIGTERM');
  assert.deepEqual(await Promise.all(talks.map(({ closed }) => closed)), Array(3).fill('1001 the platform is stopping'));
});
