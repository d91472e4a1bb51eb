/** Requests that two readers could read differently: they are refused, the connection ends, and no function sees them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { openBystander } from './bystander.ts';
import { type E2e, openE2e } from './functions.ts';
import { closed, connectTo, sendRaw, statusesIn } from './raw-http.ts';

let e2e: E2e;
let beside: Awaited<ReturnType<typeof openBystander>>;
before(async () => {
  e2e = await openE2e();
  beside = await openBystander(e2e);
  await e2e.publish(
    'sees',
    'let seen = 0; export const handler = (e) => { if (e.rawPath === "/count") return seen; seen += 1; return e; };',
    { maximum: 1, idleMs: 600_000 },
  );
});
after(() => e2e[Symbol.asyncDispose]());

/** A second request hides in the body that one reader sees and the other does not. */
const hidden = 'GET /sees/smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (headers: string, body: string) => `POST /sees/ HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n${body}`;
const chunks = (framed: string) => post('Transfer-Encoding: chunked', framed);
const get = (headers: string) => `GET /sees/ HTTP/1.1\r\n${headers}\r\n\r\n`;

const malformed: [what: string, request: string][] = [
  ['a length and chunks', post('Content-Length: 3\r\nTransfer-Encoding: chunked', `0\r\n\r\n${hidden}`)],
  ['chunks and a length', post('Transfer-Encoding: chunked\r\nContent-Length: 5', `0\r\n\r\n${hidden}`)],
  ['two lengths', post('Content-Length: 3\r\nContent-Length: 4', `abcd${hidden}`)],
  ['the same length twice', post('Content-Length: 3\r\nContent-Length: 3', `abc${hidden}`)],
  ['a list of lengths', post('Content-Length: 3, 4', `abcd${hidden}`)],
  ['a signed length', post('Content-Length: +3', `abc${hidden}`)],
  ['a negative length', post('Content-Length: -1', hidden)],
  ['a hexadecimal length', post('Content-Length: 0x3', `abc${hidden}`)],
  ['an exponent for a length', post('Content-Length: 1e1', `abc${hidden}`)],
  ['a length over 64 bits', post('Content-Length: 18446744073709551619', `abc${hidden}`)],
  ['an empty length', post('Content-Length: ', hidden)],
  ['an unknown transfer coding', post('Transfer-Encoding: xchunked', `0\r\n\r\n${hidden}`)],
  ['chunked before another coding', post('Transfer-Encoding: chunked, identity', `0\r\n\r\n${hidden}`)],
  [
    'chunked and then another coding in a second header',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity', `0\r\n\r\n${hidden}`),
  ],
  ['a vertical tab before chunked', post('Transfer-Encoding: \x0bchunked', `0\r\n\r\n${hidden}`)],
  ['a NUL after chunked', post('Transfer-Encoding: chunked\0', `0\r\n\r\n${hidden}`)],
  ['a space before the colon', get('Host : a')],
  ['a tab before the colon of the framing', post('Transfer-Encoding\t: chunked', `0\r\n\r\n${hidden}`)],
  ['a space before the first header', `GET /sees/ HTTP/1.1\r\n Host: a\r\n\r\n`],
  ['a header without a colon', get('Host: a\r\nTransfer-Encoding')],
  ['a header without a name', get('Host: a\r\n: chunked')],
  ['a bare CR in a value', get('Host: a\rX: b')],
  ['a bare CR that ends the headers', 'GET /sees/ HTTP/1.1\r\nHost: a\r\r\n\r\n'],
  ['a bare LF that ends a header', 'GET /sees/ HTTP/1.1\r\nHost: a\nX: b\r\n\r\n'],
  ['a bare LF that ends the request line', 'GET /sees/ HTTP/1.1\nHost: a\r\n\r\n'],
  ['a NUL in a value', get('Host: a\r\nX: b\0c')],
  ['a NUL in a name', get('Host: a\r\nX\0: b')],
  ['a folded header', get('Host: a\r\nX: b\r\n  c')],
  ['a folded framing header', post('Transfer-Encoding:\r\n chunked', `0\r\n\r\n${hidden}`)],
  ['no host', 'GET /sees/ HTTP/1.1\r\nX: b\r\n\r\n'],
  ['two hosts', get('Host: a\r\nHost: b')],
  ['the same host twice', get('Host: a\r\nhost: a')],
  ['a host with a path', get('Host: a/../b')],
  ['a host with a user', get('Host: a@b')],
  ['a list of hosts', get('Host: a, b')],
  ['a host in Latin-1', get('Host: \xe4')],
  ['no version', 'GET /sees/\r\n\r\n'],
  ['version 0.9', 'GET /sees/ HTTP/0.9\r\nHost: a\r\n\r\n'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['a space in the target', 'GET /sees/ x HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a method in lower case', 'get /sees/ HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['a TLS greeting', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['a target of another host', 'GET http://other/sees/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
];
for (const [what, request] of malformed) {
  test(`${what}: 400 and close`, async () => {
    const answer = await beside(() => sendRaw(e2e.platform.gatewayUrl, request));
    assert.deepEqual(statusesIn(answer), [400]);
    assert.match(answer, /\r\nContent-Type: application\/problem\+json\r\n/i);
    assert.match(answer, /\r\nConnection: close\r\n/i);
    const [, id] = /\r\nX-Swiftlet-Request-Id: ([\da-f-]{36})\r\n/i.exec(answer) ?? [];
    assert.match(answer, new RegExp(`"requestId":"${id ?? 'an id in its head'}"`));
    assert.match(answer, /\r\nX-Swiftlet-Error: \w+\r\n/i);
  });
}

/** The head is good and the function may have it: what follows is not, and nothing after it is a request. */
const badChunks: [what: string, framed: string][] = [
  ['a size that is no number', `zz\r\nabc\r\n0\r\n\r\n${hidden}`],
  ['a signed size', `+3\r\nabc\r\n0\r\n\r\n${hidden}`],
  ['a size with 0x', `0x3\r\nabc\r\n0\r\n\r\n${hidden}`],
  ['a size over 64 bits', `10000000000000003\r\nabc\r\n0\r\n\r\n${hidden}`],
  ['a size that is too small', `2\r\nabc\r\n0\r\n\r\n${hidden}`],
  ['a bare LF after the size', `3\nabc\r\n0\r\n\r\n${hidden}`],
  ['a bare LF in an extension', `3;a\nabc\r\n0\r\n\r\n${hidden}`],
  ['a bare CR after the size', `3\rabc\r\n0\r\n\r\n${hidden}`],
  ['no CR LF after the data', `3\r\nabc0\r\n\r\n${hidden}`],
  ['a space before the size', ` 3\r\nabc\r\n0\r\n\r\n${hidden}`],
  ['extensions without end', `3;${'x'.repeat(100_000)}\r\nabc\r\n0\r\n\r\n${hidden}`],
  ['a broken trailer', `3\r\nabc\r\n0\r\nX : y\r\n\r\n${hidden}`],
];
for (const [what, framed] of badChunks) {
  test(`chunks with ${what}: the connection ends and nothing after is read`, async () => {
    const answer = await beside(() => sendRaw(e2e.platform.gatewayUrl, chunks(framed)));
    assert.ok(!answer.includes('smuggled'), answer);
    assert.ok(statusesIn(answer).length <= 1, answer);
    assert.ok(!statusesIn(answer).includes(200), answer);
  });
}

test('no function has seen any of them', async () => {
  const { text } = await e2e.call('/sees/count');
  assert.equal(text, '0');
});

test('methods that open a tunnel, and offers to speak something else, are not followed', async () => {
  const connect = await sendRaw(e2e.platform.gatewayUrl, `CONNECT sees:80 HTTP/1.1\r\nHost: a\r\n\r\n${hidden}`);
  assert.ok(!connect.includes('smuggled'), connect);
  const upgrade = await sendRaw(
    e2e.platform.gatewayUrl,
    `GET /bystander/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
  );
  assert.deepEqual(statusesIn(upgrade), [200]);
});

const tooLarge: [what: string, headers: string][] = [
  ['64 KiB', `X: ${'x'.repeat(100_000)}`],
  ['500 lines, by few', Array.from({ length: 500 }, (_, at) => `x${at}: y`).join('\r\n')],
  ['500 lines, by many', Array.from({ length: 100_000 }, (_, at) => `x${at}: y`).join('\r\n')],
];
for (const [what, headers] of tooLarge) {
  test(`headers over ${what}: 431 and close`, async () => {
    const answer = await beside(() => sendRaw(e2e.platform.gatewayUrl, get(`Host: a\r\n${headers}\r\nTransfer-Encoding: chunked`)));
    assert.deepEqual(statusesIn(answer), [431]);
    assert.match(answer, /"code":"HeadersTooLarge"/);
  });
}

test('who sends what cannot be read and stays is cut off', async () => {
  const socket = await connectTo(e2e.platform.gatewayUrl, { allowHalfOpen: true });
  socket.resume().write('nonsense\r\n\r\n');
  const startedAt = performance.now();
  await once(socket, 'end');
  // The other end's close shows in what is sent: a reset comes back.
  const sending = setInterval(() => socket.write('x'), 100);
  await closed(socket);
  clearInterval(sending);
  assert.ok(performance.now() - startedAt < 20_000);
});
