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
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);
}

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
  for (const { link } of [node, python]) {
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
