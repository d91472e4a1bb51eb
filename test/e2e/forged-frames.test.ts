/** Functions that find their connections to the platform and speak on them: the rows about the runtime's protocol of the threat model. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { existsSync } from 'node:fs';
import { after, afterEach, before, test } from 'node:test';
import { frame } from '../../src/wire/instance-protocol.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
import { residentBytes, roleOf } from './role-processes.ts';

const mebibyte = 1024 * 1024;

let e2e: E2e;
let roles: readonly number[];
before(async () => {
  e2e = await openE2e();
  roles = ['gateway', 'agent'].map((name) => roleOf(e2e.platform.pid, name));
  await e2e.publish('bystander', 'export const handler = () => ({ born: (globalThis.born ??= Math.random()) });');
  await e2e.call('/bystander/');
});
after(() => e2e[Symbol.asyncDispose]());

afterEach(async () => {
  assert.deepEqual(
    ['gateway', 'agent'].map((name) => roleOf(e2e.platform.pid, name)),
    roles,
    'a role was started again',
  );
  const { status, headers } = await e2e.call('/bystander/');
  assert.deepEqual([status, headers.get('x-swiftlet-start')], [200, 'warm']);
});

/** What every forger has: frames, and all sockets of its process, whoever is at their other end. */
const forge = `
import fs from 'node:fs';
export const frame = ${JSON.stringify(frame)};
export function encode(kind, stream, payload = '') {
  const body = Buffer.from(payload), head = Buffer.alloc(9);
  head.writeUInt32BE(body.length, 0); head[4] = kind; head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}
const isSocket = (fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; } };
export const sockets = () => fs.readdirSync('/proc/self/fd').map(Number).filter((fd) => fd > 3 && isSocket(fd));
const pause = new Int32Array(new SharedArrayBuffer(4));
/** Writes whole frames, however long the other end takes to read them. */
function sayTo(fd, bytes) {
  for (let at = 0; at < bytes.length; ) {
    try { at += fs.writeSync(fd, bytes, at); } catch (error) { if (error.code !== 'EAGAIN') return; Atomics.wait(pause, 0, 0, 1); }
  }
}
export const say = (...frames) => { for (const fd of sockets()) sayTo(fd, Buffer.concat(frames)); };
export const whole = (stream, text) => [
  encode(frame.head, stream, JSON.stringify([200, []])), encode(frame.responseBody, stream, text), encode(frame.done, stream, Buffer.alloc(8)),
];
`;

/** Publishes a function whose module can forge; the source has its imports. */
const publish = (name: string, source: string, config = {}) =>
  e2e.publish(
    name,
    {
      'forge.mjs': forge,
      'index.mjs': `import fs from 'node:fs'; import { Worker } from 'node:worker_threads'; import { encode, frame, say, sockets, whole } from './forge.mjs';\n${source}`,
    },
    config,
  );

const pidOf = async (name: string): Promise<number> => (await e2e.platform.api.instances(name))[0]?.pid ?? 0;
const gone = (pid: number) =>
  eventually(
    () => existsSync(`/proc/${pid}`),
    (there) => !there,
  );

test('answers to the requests of others reach nobody', async () => {
  await e2e.publish('victim', 'export const handler = (e) => new Promise((r) => setTimeout(r, 400, "mine " + e.rawPath));', {
    concurrency: 20,
    maximum: 1,
  });
  await e2e.call('/victim/');
  await publish(
    'impostor',
    `export const handler = () => { for (let stream = 0; stream < 200; stream++) if (stream !== 1) say(...whole(stream, 'forged')); return 'own'; };`,
  );
  const victims = Array.from({ length: 10 }, (_, at) => e2e.call(`/victim/${at}`));
  assert.equal((await e2e.call('/impostor/')).text, '"own"');
  for (const [at, answer] of (await Promise.all(victims)).entries()) assert.equal(answer.text, `"mine /${at}"`);
});

test('of two answers the first counts, and the next request gets its own', async () => {
  await publish(
    'twice',
    `let count = 0; export const handler = async () => {
      const own = ++count;
      say(...whole(own, 'forged ' + own), ...whole(own, 'again ' + own), encode(frame.failed, own, '{}'));
      await new Promise((r) => setTimeout(r, 30)); return 'late ' + own; };`,
  );
  for (const own of [1, 2, 3]) assert.equal((await e2e.call('/twice/')).text, `forged ${own}`);
});

test('a thread that answers after the reply is not heard, and the next replies are right', async () => {
  const thread = `
    const { workerData, parentPort } = require('node:worker_threads'); const fs = require('node:fs');
    const { fds, bytes } = workerData; let sent = 0;
    const timer = setInterval(() => { for (const fd of fds) try { fs.writeSync(fd, bytes); } catch {} parentPort.postMessage(++sent); if (sent === 100) clearInterval(timer); }, 1);`;
  await publish(
    'background',
    `let count = 0, sent = 0; export const handler = async () => {
      const own = ++count;
      if (own === 1) new Worker(${JSON.stringify(thread)}, { eval: true, workerData: { fds: sockets(), bytes: Buffer.concat(whole(1, 'from the thread')) } }).on('message', (n) => { sent = n; });
      return { own, sent }; };`,
  );
  const answers = [];
  do answers.push((await e2e.call('/background/')).json);
  while (Number(answers.at(-1)?.['sent']) < 100 && answers.length < 5_000);
  assert.equal(answers.at(-1)?.['sent'], 100);
  for (const [at, { own }] of answers.entries()) assert.equal(own, at + 1);
});

test('a callback that is called after the reply is not heard either', async () => {
  await e2e.publish('calls-back', {
    'index.cjs':
      'let last; exports.handler = (event, context, callback) => { last?.(null, "stale"); const own = event.rawPath; callback(null, own); setImmediate(() => callback(null, "again")); last = callback; };',
  });
  for (const path of ['/a', '/b', '/c']) assert.equal((await e2e.call(`/calls-back${path}`)).text, JSON.stringify(path));
});

test('a second init is refused, and the first goes on', async () => {
  await publish(
    'init-twice',
    `export const handler = async () => {
      const request = { function: 'x', version: 9, instanceId: 'x', codeDir: '/tmp', handler: 'index.handler', environment: { MARK: 'new' }, memoryMiB: 1, concurrency: 9 };
      for (const handle of process._getActiveHandles()) if (handle.constructor.name === 'Socket') handle.emit('data', encode(frame.init, 0, JSON.stringify(request)));
      await new Promise((r) => setTimeout(r, 20)); return process.env.MARK ?? 'as it was'; };`,
  );
  for (let round = 0; round < 3; round++) assert.equal((await e2e.call('/init-twice/')).text, '"as it was"');
});

test('what nobody asked for does not reach the agent', async () => {
  await publish(
    'unasked',
    `let count = 0; export const handler = () => {
      for (const kind of [frame.state, frame.initialised, frame.initFailed]) say(encode(kind, 0, '{"state":"booted"}'), encode(kind, 0, 'garbage'));
      return ++count; };`,
  );
  for (const count of [1, 2, 3]) assert.equal((await e2e.call('/unasked/')).text, String(count));
});

const forgedInits: [what: string, frames: string][] = [
  ['garbage', "encode(frame.initialised, 0, 'garbage')"],
  ['nothing', "encode(frame.initialised, 0, 'null')"],
  ['times that are none', 'encode(frame.initialised, 0, JSON.stringify({ environmentMs: "1", runtimeMs: -1, initMs: null }))'],
  ['a state', "encode(frame.state, 0, '{}')"],
  ['a frame of no kind', 'encode(0x7f, 0)'],
  [
    'a failure of the platform',
    "encode(frame.initFailed, 0, JSON.stringify({ code: 'Unauthorized', type: 'x'.repeat(100_000), message: 'y'.repeat(500_000) }))",
  ],
  ['a frame that is too long', 'Buffer.alloc(9, 0xff)'],
];
for (const [what, frames] of forgedInits) {
  test(`an init that is answered with ${what} fails as the function's own`, async () => {
    const name = `init-${what.replaceAll(' ', '-')}`;
    await publish(name, `say(${frames}); await new Promise((r) => setTimeout(r, 200)); export const handler = () => 'served';`);
    const { status, json, text } = await e2e.call(`/${name}/`);
    assert.deepEqual([status, json['code']], [502, 'InitError'], text.slice(0, 500));
    assert.ok(text.length < 10_000);
    await eventually(
      () => e2e.platform.api.instances(name),
      (left) => left.length === 0,
    );
  });
}

const breaches: [what: string, frames: string][] = [
  ['a frame of no kind', 'encode(0x7f, own)'],
  ['a frame that only the gateway sends', "encode(frame.invoke, own, '[]')"],
  ['a body before its head', "encode(frame.responseBody, own, 'x')"],
  ['an end before its head', 'encode(frame.done, own, Buffer.alloc(8))'],
  ['an end that is too short', "encode(frame.head, own, '[200,[]]'), encode(frame.done, own, 'x')"],
  ['an empty piece of a body', "encode(frame.head, own, '[200,[]]'), encode(frame.responseBody, own)"],
  ['two heads', "encode(frame.head, own, '[200,[]]'), encode(frame.head, own, '[200,[]]')"],
  ['a head that is no JSON', "encode(frame.head, own, '[200,')"],
  ['a head of a megabyte', "encode(frame.head, own, '['.repeat(1_000_000))"],
  ['a length that is none', `encode(frame.head, own, '[200,["content-length","1e999"]]')`],
  ['a frame that is too long', 'Buffer.alloc(9, 0xff)'],
  ['garbage', 'Buffer.alloc(100_000, 0xa5)'],
  ['two megabytes for nobody', '...Array.from({ length: 4 }, () => encode(frame.responseBody, 0xffff_ffff, Buffer.alloc(500_000)))'],
];
for (const [what, frames] of breaches) {
  test(`${what}: the request fails, the instance is replaced`, async () => {
    const name = `breach-${what.toLowerCase().replaceAll(' ', '-')}`;
    await publish(
      name,
      `let own = 0; export const handler = async (event) => { own++; if (event.rawPath === '/forge') { say(${frames}); await new Promise(() => {}); } return 'fine'; };`,
    );
    assert.equal((await e2e.call(`/${name}/`)).text, '"fine"');
    const pid = await pidOf(name);
    const answer = await e2e.call(`/${name}/forge`).catch(() => undefined);
    if (answer !== undefined) {
      assert.equal(answer.status, 502, answer.text);
      assert.match(String(answer.json['code']), /^(InvalidResponse|ResponseTooLarge|FunctionCrashed)$/);
    }
    await gone(pid);
    const next = await e2e.call(`/${name}/`);
    assert.deepEqual([next.text, next.headers.get('x-swiftlet-start')], ['"fine"', 'cold']);
  });
}

test('an instance that closes its connections is replaced', async () => {
  await publish(
    'hangs-up',
    `export const handler = async (event) => { if (event.rawPath === '/forge') { for (const fd of sockets()) fs.closeSync(fd); await new Promise((r) => setTimeout(r, 10_000)); } return 'fine'; };`,
    { maximum: 1 },
  );
  await e2e.call('/hangs-up/');
  const pid = await pidOf('hangs-up');
  assert.equal((await e2e.call('/hangs-up/forge')).json['code'], 'FunctionCrashed');
  await gone(pid);
  assert.equal((await e2e.call('/hangs-up/')).text, '"fine"');
});

test('half a frame is waited for as long as the request has time', async () => {
  await publish(
    'half',
    `export const handler = async (event) => { if (event.rawPath === '/forge') { const head = Buffer.alloc(9); head.writeUInt32BE(1_000_000, 0); say(head); } return 'fine'; };`,
    { timeoutMs: 300 },
  );
  assert.equal((await e2e.call('/half/')).text, '"fine"');
  assert.equal((await e2e.call('/half/forge')).json['code'], 'Timeout');
  assert.equal((await e2e.call('/half/')).text, '"fine"');
});

/** Sends a request and reads nothing of its answer. */
function unread(path: string, body = 0) {
  const { hostname, port } = new URL(e2e.platform.gatewayUrl);
  const socket = connect(Number(port), hostname).pause();
  socket.on('error', () => undefined);
  socket.write(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body}\r\n\r\n`);
  if (body > 0) socket.write(Buffer.alloc(body));
  return socket;
}

const floods: [what: string, forged: string][] = [
  ['a body without credit', 'encode(frame.responseBody, 2, Buffer.alloc(60_000))'],
  ['bodies of one byte, and reads no credit', "Buffer.concat(Array.from({ length: 6_000 }, () => encode(frame.responseBody, 2, 'x')))"],
  ['credit for bodies that it does not read', 'Buffer.concat([encode(frame.requestCredit, 2, Buffer.alloc(4, 0x7f))])'],
];
for (const [what, forged] of floods) {
  test(`a flood of ${what} does not fill the gateway's memory`, async () => {
    const name = `flood-${what.split(' ').slice(0, 3).join('-').replace(',', '')}`;
    // The thread spins, so that the runtime reads nothing more.
    await publish(
      name,
      `const bytes = ${forged}; export default { async fetch({ url }) { if (url.endsWith('/warm')) return new Response(); say(encode(frame.head, 2, '[200,[]]')); const until = Date.now() + 2_000; while (Date.now() < until) say(bytes); return new Response('end'); } };`,
      { timeoutMs: 10_000, maximum: 1 },
    );
    const [gateway = 0] = roles;
    await e2e.call(`/${name}/warm`);
    const pid = await pidOf(name);
    // Its heap takes the size that requests give it.
    for (let round = 0; round < 500; round++) await e2e.call('/bystander/');
    const before = residentBytes(gateway);
    const socket = unread(`/${name}/`, what.startsWith('credit') ? 5 * mebibyte : 0);
    let most = 0;
    const until = performance.now() + 2_500;
    while (performance.now() < until) {
      most = Math.max(most, residentBytes(gateway) - before);
      assert.equal((await e2e.call('/bystander/')).status, 200);
    }
    socket.destroy();
    if (what === 'a body without credit') await gone(pid);
    assert.ok(most < 32 * mebibyte, `it grew by ${(most / mebibyte).toFixed(1)} MiB`);
  });
}

test('more than the announced length does not become the next answer', async () => {
  await publish(
    'smuggles',
    `export const handler = async () => {
      say(encode(frame.head, 1, '[200,["content-length","5"]]'), encode(frame.responseBody, 1, 'ab'));
      await new Promise((r) => setTimeout(r, 50));
      say(encode(frame.responseBody, 1, 'cde' + 'HTTP/1.1 200 OK\\r\\ncontent-length: 6\\r\\n\\r\\nforged'), encode(frame.done, 1, Buffer.alloc(8)));
      await new Promise((r) => setTimeout(r, 1_000)); };`,
  );
  const { hostname, port } = new URL(e2e.platform.gatewayUrl);
  const socket = connect(Number(port), hostname);
  let seen = '';
  socket.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  socket.write('GET /smuggles/ HTTP/1.1\r\nHost: a\r\n\r\nGET /bystander/ HTTP/1.1\r\nHost: a\r\n\r\n');
  await new Promise((resolve) => socket.once('close', resolve));
  assert.match(seen, /^HTTP\/1\.1 200 /);
  assert.ok(!seen.includes('forged'), seen);
});
