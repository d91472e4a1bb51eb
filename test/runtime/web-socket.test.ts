/** WebSockets as a runtime has them: what it sends to its gateway, frame by frame. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bodyChunkBytes } from '../../src/wire/frames.ts';
import { frame, initialCreditBytes } from '../../src/wire/instance-protocol.ts';
import { initialised } from './python/python-under-test.ts';
import type { RuntimeLink } from './runtime-link.ts';
import { RuntimeUnderTest } from './runtime-under-test.ts';

interface Opened {
  readonly socket: { readonly readyState: number };
  readonly closed: Promise<unknown>;
  open(): void;
  take(chunk: Buffer): void;
  cut(): void;
}
interface Line {
  readonly send: (bytes: Buffer) => Promise<unknown>;
  readonly grant: () => void;
}
const { openWebSocket } = (await import(new URL('../../runtimes/node/web-socket.mjs', import.meta.url).href)) as {
  openWebSocket: (headers: Record<string, string>, protocol: string | undefined, line: Line, pingMs?: number) => Opened;
};

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const headers = ['upgrade', 'websocket', 'sec-websocket-version', '13', 'sec-websocket-key', key, 'sec-websocket-protocol', 'one, two'];

/** A caller's frame; its mask changes nothing. */
function masked(opcode: number, payload: string): Buffer {
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload, 'latin1')]);
}

/** The first piece of a message. */
const first = (opcode: number, payload: string): Buffer => {
  const frame = masked(opcode, payload);
  frame[0] = opcode;
  return frame;
};

const open = (link: RuntimeLink, target: string): number => link.open(target, { headers, offersWebSocket: true });
const bytesOn = async (link: RuntimeLink, stream: number): Promise<Buffer> => (await link.next(stream, frame.responseBody)).payload;

test('the head has what the function says, and the bytes after it are frames', async () => {
  await using tested = new RuntimeUnderTest('nodejs22');
  await tested.init('sockets', { concurrency: 4 });
  const { link } = tested;
  const stream = open(link, '/protocol');
  assert.deepEqual(JSON.parse((await link.next(stream, frame.head)).payload.toString()), [101, ['sec-websocket-protocol', 'two']]);
  link.send(frame.requestBody, stream, masked(1, 'left '));
  assert.equal((await bytesOn(link, stream)).toString('latin1'), '\x81\x09left 5000');
  const other = open(link, '/');
  await link.next(other, frame.head);
  link.send(frame.goAway, stream);
  assert.equal((await bytesOn(link, stream)).toString('latin1'), '\x88\x1a\x03\xe9the platform is stopping');
  link.send(frame.requestBody, stream, masked(8, '\x03\xe9'));
  await link.next(stream, frame.done);
  // The other one goes on; a caller that is gone is seen by its listeners before the stream ends.
  link.send(frame.requestBody, other, masked(1, 'x'));
  assert.equal((await bytesOn(link, other)).toString('latin1'), '\x81\x05x5000');
  link.send(frame.cancel, other);
  await link.next(other, frame.done);
  assert.ok((await tested.texts(2)).includes('closed 1006'));
});

test('the same of an ASGI application', async () => {
  await using tested = await initialised('talks.app', { concurrency: 4, timeoutMs: 5_000 });
  const { link } = tested;
  const stream = open(link, '/protocol?a=b');
  assert.deepEqual(JSON.parse((await link.next(stream, frame.head)).payload.toString()), [
    101,
    ['x-mine', 'yes', 'sec-websocket-protocol', 'two'],
  ]);
  assert.equal((await bytesOn(link, stream)).toString('latin1'), "\x81\x2aws /protocol b'a=b' ['one', 'two'] {} 5000");
  // A message in two pieces, with a ping between them.
  link.send(frame.requestBody, stream, Buffer.concat([first(1, 'he'), masked(9, 'there?'), masked(0, 'llo')]));
  assert.equal((await bytesOn(link, stream)).toString('latin1'), '\x8a\x06there?');
  assert.equal((await bytesOn(link, stream)).toString('latin1'), '\x81\x05hello');
  link.send(frame.requestBody, stream, masked(2, 'bytes'));
  assert.equal((await bytesOn(link, stream)).toString('latin1'), '\x82\x05bytes');
  const other = open(link, '/');
  await link.next(other, frame.head);
  await bytesOn(link, other);
  link.send(frame.goAway, stream);
  assert.equal((await bytesOn(link, stream)).toString('latin1'), '\x88\x1a\x03\xe9the platform is stopping');
  link.send(frame.requestBody, stream, masked(8, '\x03\xe9'));
  await link.next(stream, frame.done);
  link.send(frame.requestBody, other, masked(1, 'x'));
  assert.equal((await bytesOn(link, other)).toString('latin1'), '\x81\x01x');
  link.send(frame.cancel, other);
  await link.next(other, frame.done);
  const said = await tested.texts(2);
  assert.deepEqual(said, ['closed 1001', 'closed 1006']);
});

test('what an ASGI application does otherwise: it refuses, fails, returns, says too much', async () => {
  await using tested = await initialised('talks.app', { concurrency: 8 });
  const { link } = tested;
  const answers: [path: string, status: number, body: string][] = [
    ['/closed', 403, ''],
    ['/denied', 401, 'not you'],
  ];
  for (const [path, status, body] of answers) {
    const answer = await link.call(path, { headers, offersWebSocket: true });
    assert.deepEqual([answer.status, answer.body.toString()], [status, body]);
  }
  const failures: [path: string, code: string][] = [
    ['/good', 'WebSocketUnsupported'],
    ['/nothing', 'InvalidResponse'],
    ['/raises', 'HandlerError'],
  ];
  for (const [path, code] of failures) assert.equal((await link.call(path, { headers, offersWebSocket: true })).failure?.code, code);
  const late = open(link, '/');
  await bytesOn(link, late);
  link.send(frame.requestBody, late, masked(1, 'raise'));
  assert.equal((await bytesOn(link, late)).toString('latin1'), '\x88\x15\x03\xf3the function failed');
  await link.next(late, frame.failed);
  const faults: [sent: Buffer, code: number][] = [
    [Buffer.from([0x81, 0x01, 0x61]), 1002],
    [Buffer.from([0xc1, 0x80, 0, 0, 0, 0]), 1002],
    [masked(0, 'goes on with nothing'), 1002],
    [masked(8, '\x03\xed'), 1002],
    [Buffer.concat([Buffer.from([0x81, 0x81, 0, 0, 0, 0]), Buffer.from([0xff])]), 1007],
    [Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x60, 0, 1, 0, 0, 0, 0]), 1009],
  ];
  for (const [sent, code] of faults) {
    const stream = open(link, '/');
    await bytesOn(link, stream);
    link.send(frame.requestBody, stream, sent);
    const close = await bytesOn(link, stream);
    assert.deepEqual([close[0], close.readUInt16BE(2)], [0x88, code]);
    await link.next(stream, frame.done);
  }
});

test('no more is sent than was let', async () => {
  await using tested = new RuntimeUnderTest('nodejs26');
  await tested.init('sockets', { concurrency: 4 });
  const { link } = tested;
  const stream = open(link, '/flood');
  let came = 0;
  while (came < initialCreditBytes) came += (await bytesOn(link, stream)).length;
  assert.equal(came, initialCreditBytes);
  link.sendCredit(stream, bodyChunkBytes);
  assert.equal((await bytesOn(link, stream)).length, bodyChunkBytes);
});

test('who takes no WebSocket says so', async () => {
  await using node = new RuntimeUnderTest('nodejs26');
  await node.init('answers.handler');
  await using python = await initialised('answers.handler');
  await using wsgi = await initialised('applications.wsgi');
  for (const { link } of [node, python, wsgi]) {
    const { failure } = await link.call('/', { headers, offersWebSocket: true });
    assert.deepEqual(failure?.code, 'WebSocketUnsupported');
  }
});

test('a caller that answers no ping is taken for gone, one that does is not', async () => {
  const sent: Buffer[] = [];
  const offered = Object.fromEntries([
    ['upgrade', 'websocket'],
    ['sec-websocket-version', '13'],
    ['sec-websocket-key', key],
  ]);
  const line: Line = { send: (bytes) => Promise.resolve(sent.push(bytes)), grant: () => undefined };
  const pings = () => sent.filter((bytes) => bytes[0] === 0x89).length;
  const silent = openWebSocket(offered, undefined, line, 20);
  silent.open();
  await silent.closed;
  assert.equal(pings(), 1);
  const answers = (bytes: Buffer) => {
    setImmediate(() => there.take(masked(10, '')));
    return line.send(bytes);
  };
  const there = openWebSocket(offered, undefined, { ...line, send: answers }, 20);
  there.open();
  while (pings() < 5) await new Promise(setImmediate);
  assert.equal(there.socket.readyState, 1);
  there.cut();
  await there.closed;
  assert.throws(() => openWebSocket(offered, 'three', line), /does not offer the protocol "three"; it offers none/);
});
