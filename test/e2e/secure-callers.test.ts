/** The port for callers by TLS: HTTP/2 and HTTP/1.1, with certificates from files that change. */
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test, type TestContext } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { freePort } from '../../bench/free-port.ts';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { WebSocket as Client } from 'ws';
import type { OwnCertificate } from '../../src/role/certificates/material.ts';
import { certificateFor, openAuthority } from '../wire/secure-places.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { openSocket } from './http2-sockets.ts';
import { statusesIn } from './raw-http.ts';

const code = `export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname === '/echo') return new Response(request.body);
    if (pathname === '/socket') {
      const { socket, response } = context.upgradeWebSocket();
      socket.onmessage = ({ data }) => {
        if (data === 'flood') for (let n = 0; n < 8; n++) socket.send(new Uint8Array(1024 * 1024).fill(n));
        else socket.send(data + ' by TLS');
      };
      socket.onclose = ({ code }) => console.log('closed ' + code);
      return response;
    }
    if (pathname === '/wait') {
      request.signal.addEventListener('abort', () => console.log('aborted'));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    const answer = Response.json({ url: request.url, method: request.method, headers: Object.fromEntries(request.headers) });
    answer.headers.append('set-cookie', 'a=1');
    answer.headers.append('set-cookie', 'b=2');
    return answer;
  },
};`;

const asgi = `
async def app(scope, receive, send):
    if scope['type'] != 'websocket':
        return
    await receive()
    await send({'type': 'websocket.accept'})
    while (message := await receive())['type'] == 'websocket.receive':
        await send({'type': 'websocket.send', 'text': 'say' + message['text']})
`;

const folder = mkdtempSync(join(tmpdir(), 'swiftlet-tls-'));
const files = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
function put({ certificate, authority, key }: Pick<OwnCertificate, 'certificate' | 'authority' | 'key'>): void {
  for (const [path, text] of [
    [files.key, key],
    [files.certificate, certificate + authority],
  ] as const) {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

let e2e: E2e;
let port: number;
let certificates: readonly OwnCertificate[];
before(async () => {
  const authority = await openAuthority();
  certificates = [await certificateFor(authority, 'gateway', 3_600_000), await certificateFor(authority, 'gateway', 3_600_000)];
  put(current(0));
  port = await freePort();
  const environment = {
    SWIFTLET_TLS_PORT: String(port),
    SWIFTLET_TLS_CERTIFICATE: files.certificate,
    SWIFTLET_TLS_KEY: files.key,
    // For keys of an issuer's.
    SWIFTLET_WEBHOOK_ALLOW: '127.0.0.0/8',
  };
  e2e = await openE2e({ environment });
  await e2e.publish('mirror', code, { concurrency: 100, maximum: 1 });
  await e2e.call('/mirror/');
});
after(async () => {
  await e2e[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

function current(at: number): OwnCertificate {
  const found = certificates[at];
  assert.ok(found !== undefined);
  return found;
}

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function open(): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
  session.on('error', () => undefined);
  return session;
}

async function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Buffer): Promise<Answer> {
  const stream = session.request({ ':path': '/mirror/', ...headers }, { endStream: body === undefined });
  const answered = once(stream, 'response') as Promise<[IncomingHttpHeaders]>;
  if (body !== undefined) stream.end(body);
  let text = '';
  for await (const chunk of stream.setEncoding('latin1')) text += String(chunk);
  return { headers: (await answered)[0], text };
}

test('an address that wants a signature, or a token of an issuer, wants it by HTTP/2, too', async (t) => {
  const session = open();
  t.after(() => session.close());
  const secret = 'a secret of both sides';
  const url = { kind: 'hmac' as const, secretVariables: ['SIGNED_WITH'], skewMs: 60_000 };
  await e2e.publish('signed', code, { url, environment: { SIGNED_WITH: secret }, concurrency: 10 });
  const body = Buffer.alloc(300_000, 'x');
  const signed = (target: string, signedBody: Buffer) => {
    const [seconds, nonce] = [Math.floor(Date.now() / 1_000), randomUUID()];
    const mac = createHmac('sha256', secret).update(`${seconds}\n${nonce}\nPOST\n${target}\n`).update(signedBody).digest('hex');
    return { ':method': 'POST', ':path': target, 'x-swiftlet-signature': `t=${seconds},n=${nonce},v1=${mac}` };
  };
  const echoed = await ask(session, signed('/signed/echo', body), body);
  assert.deepEqual([echoed.headers[':status'], echoed.text.length], [200, body.length]);
  const other = await ask(session, signed('/signed/echo', Buffer.from('another')), body);
  assert.deepEqual([other.headers[':status'], other.text.includes('the signature is wrong')], [401, true]);
  assert.equal((await ask(session, { ':path': '/signed/' })).headers[':status'], 401);

  const { issuer, sign } = await openIssuer(t);
  await e2e.publish('member', code, { url: { kind: 'jwt', issuer, audience: ['shop'], jwksUri: `${issuer}/keys` } });
  const asked = async (token: string) => (await ask(session, { ':path': '/member/', authorization: `Bearer ${token}` })).headers;
  const taken = await eventually(
    async () => asked(await sign('shop')),
    (headers) => String(headers[':status']) !== '503',
  );
  assert.equal(taken[':status'], 200);
  const refused = await asked(await sign('other'));
  assert.deepEqual([refused[':status'], refused['www-authenticate']], [401, 'Bearer realm="swiftlet"']);
});

/** An issuer with one key. */
async function openIssuer(t: TestContext) {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'first', alg: 'ES256', use: 'sig' }];
  const server = createServer((_request, response) => response.end(JSON.stringify({ keys })));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sign = (audience: string) =>
    new SignJWT({ aud: audience, sub: 'ada', exp: Math.floor(Date.now() / 1_000) + 600 })
      .setProtectedHeader({ alg: 'ES256', kid: 'first' })
      .setIssuer(issuer)
      .sign(privateKey);
  return { issuer, sign };
}

async function secureSocket(protocol = 'http/1.1'): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ALPNProtocols: [protocol] });
  await once(socket, 'secureConnect');
  return socket;
}

test('HTTP/2: the function sees what it would by HTTP/1.1, and so does the caller', async () => {
  const session = open();
  const { headers, text } = await ask(session, {
    ':path': '/mirror/a?b=c',
    ':authority': 'fn.example',
    'x-mine': 'yes',
    'x-forwarded-for': '6.6.6.6',
  });
  const seen = JSON.parse(text) as { url: string; method: string; headers: Record<string, string> };
  assert.deepEqual([seen.url, seen.method, seen.headers['x-mine']], ['https://fn.example/a?b=c', 'GET', 'yes']);
  assert.deepEqual(Object.keys(seen.headers).toSorted(), ['host', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-mine']);
  assert.equal(seen.headers['x-forwarded-for'], '127.0.0.1');
  assert.deepEqual([headers[':status'], headers['set-cookie'], headers['content-type']], [200, ['a=1', 'b=2'], 'application/json']);
  assert.match(String(headers['server-timing']), /^queue;dur=/);

  const body = Buffer.alloc(2 * 1024 * 1024, 'second ');
  const [echoed, head, missing, refused] = await Promise.all([
    ask(session, { ':method': 'POST', ':path': '/mirror/echo' }, body),
    ask(session, { ':method': 'HEAD' }),
    ask(session, { ':path': '/nothing/' }),
    ask(session, { ':authority': 'one.example', host: 'other.example' }),
  ]);
  assert.ok(echoed.text === body.toString());
  assert.deepEqual([head.headers[':status'], head.text], [200, '']);
  assert.deepEqual([missing.headers[':status'], missing.headers['x-swiftlet-error']], [404, 'FunctionNotFound']);
  assert.match(refused.text, /more than one Host header/);

  // A body over the limit is refused, and the connection goes on.
  const large = session.request({ ':method': 'POST', ':path': '/mirror/echo', 'content-length': '7000000' });
  large.on('error', () => undefined).resume();
  const [answered] = (await once(large, 'response')) as [IncomingHttpHeaders];
  assert.equal(Number(answered[':status']), 413);
  // Its end is not waited for.
  if (!large.closed) await once(large, 'close');
  const many = await Promise.all(Array.from({ length: 60 }, () => ask(session, {})));
  assert.deepEqual([...new Set(many.map((one) => one.headers[':status']))], [200]);
  session.close();
});

test('a caller that takes a request back reaches the function; one that does so without end loses its connection, and nobody else', async () => {
  const session = open();
  const stream = session.request({ ':path': '/mirror/wait' });
  await new Promise((resolve) => setTimeout(resolve, 100));
  stream.close(constants.NGHTTP2_CANCEL);
  await eventually(
    () => e2e.log('mirror'),
    (records) => records.some(({ message }) => message === 'aborted'),
  );
  const gone = once(session, 'close');
  const resetting = setInterval(() => {
    for (let n = 0; n < 200 && !session.destroyed && !session.closed; n++) {
      const one = session.request({ ':path': '/mirror/' });
      one.on('error', () => undefined);
      one.close(constants.NGHTTP2_CANCEL);
    }
  }, 5);
  await gone;
  clearInterval(resetting);
  const other = open();
  assert.equal((await ask(other, {})).headers[':status'], 200);
  other.close();
});

test('HTTP/1.1 by TLS: requests behind one another, and WebSockets', async () => {
  const socket = await secureSocket();
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.write(
    'GET /mirror/wait HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing/ HTTP/1.1\r\nHost: a\r\n\r\nHEAD /mirror/ HTTP/1.1\r\nHost: a\r\n\r\n',
  );
  await eventually(
    () => statusesIn(text),
    (statuses) => statuses.length === 3,
  );
  assert.deepEqual(statusesIn(text), [200, 404, 200]);
  assert.match(text, /"x-forwarded-proto":"https"/);
  socket.write('GET /mirror/\x01 HTTP/1.1\r\n\r\n');
  await once(socket, 'end');
  assert.equal(statusesIn(text).at(-1), 400);
  socket.destroy();
  const client = new Client(`wss://127.0.0.1:${port}/mirror/socket`, { rejectUnauthorized: false });
  await once(client, 'open');
  client.send('said');
  const [message] = (await once(client, 'message')) as [Buffer];
  assert.equal(message.toString(), 'said by TLS');
  client.close();
});

test('WebSockets by HTTP/2: streams beside requests, to each kind of function, refused as others are', async (t) => {
  const session = open();
  t.after(() => session.destroy());
  const [first, other] = await Promise.all([openSocket(session, '/mirror/socket'), openSocket(session, '/mirror/socket')]);
  assert.deepEqual([first.headers[':status'], first.headers['sec-websocket-accept']], [200, undefined]);
  assert.match(String(first.headers['server-timing']), /^queue;dur=/);
  first.say('said');
  await eventually(first.frames, (frames) => frames[0]?.payload.toString() === 'said by TLS');
  assert.equal((await ask(session, {})).headers[':status'], 200);

  // Who does not read is not sent more, and gets all of it later.
  other.stream.pause();
  other.say('flood');
  first.say('again');
  await eventually(first.frames, (frames) => frames[1]?.payload.toString() === 'again by TLS');
  other.stream.resume();
  const flood = await eventually(other.frames, (frames) => frames.length === 8);
  assert.ok(flood.every(({ payload }, n) => payload.length === 1024 * 1024 && payload.every((byte) => byte === n)));

  first.close(1000);
  await once(first.stream, 'close');
  assert.equal(first.closed(), 1000);
  other.stream.close(constants.NGHTTP2_CANCEL);
  await eventually(
    () => e2e.log('mirror'),
    (records) => ['closed 1000', 'closed 1006'].every((said) => records.some(({ message }) => message === said)),
  );

  await e2e.publish('closed-socket', code, { url: 'token' });
  for (const [path, more, status, text] of [
    ['/missing/', {}, 404, /there is no function/],
    ['/closed-socket/socket', {}, 401, /needs a token/],
    ['/mirror/', {}, 501, /answered a WebSocket handshake with status 200/],
    ['/mirror/socket', { 'sec-websocket-version': '8' }, 400, /sec-websocket-version: 13/],
    ['/mirror/socket', { ':protocol': 'other' }, 405, /CONNECT is taken for WebSockets only/],
  ] as const) {
    const { stream, headers } = await openSocket(session, path, more);
    let answer = '';
    stream.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    if (!stream.closed) await once(stream, 'close');
    assert.deepEqual([path, headers[':status']], [path, status]);
    assert.match(answer, text);
  }

  const server = readFileSync(new URL('../programs/socket-server.mjs', import.meta.url));
  await Promise.all([
    e2e.publish('python', { 'app.py': asgi }, { runtime: 'python3', handler: 'app.app', concurrency: 10, timeoutMs: 30_000 }),
    e2e.publish('server', { 'server.mjs': server }, { runtime: 'http', handler: 'node server.mjs', concurrency: 10, timeoutMs: 30_000 }),
  ]);
  for (const path of ['/python/', '/server/']) {
    const socket = await openSocket(session, path);
    socket.say('hello');
    // The server says it in two frames.
    const said = () => socket.frames().map(({ payload }) => payload.toString());
    await eventually(said, (texts) => texts.join('').endsWith('sayhello'));
    socket.close(1000);
    await once(socket.stream, 'close');
    assert.equal(socket.closed(), 1000);
  }
});

test('a new certificate is shown to new callers; files that do not go together change nothing, and it is said', async () => {
  const shown = async () => {
    const socket = await secureSocket('h2');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const first = await shown();
  writeFileSync(files.key, current(1).key);
  await eventually(
    () => readFileSync(e2e.platform.logPath, 'utf8'),
    (log) => log.includes('the certificate before is kept') && /key\.pem is not the key of the certificate in .*certificate\.pem/.test(log),
  );
  assert.equal(await shown(), first);
  put(current(1));
  await eventually(shown, (fingerprint) => fingerprint !== first);
});

test('a stop lets requests by HTTP/2 end, and tells WebSockets so', async () => {
  const session = open();
  const waiting = ask(session, { ':path': '/mirror/wait' });
  const socket = await openSocket(session, '/mirror/socket');
  await new Promise((resolve) => setTimeout(resolve, 100));
  process.kill(e2e.platform.pid, 'SIGTERM');
  assert.equal((await waiting).headers[':status'], 200);
  assert.equal(await eventually(socket.closed, (number) => number !== undefined), 1001);
  socket.close(1001);
  if (!session.destroyed) await once(session, 'close');
});
