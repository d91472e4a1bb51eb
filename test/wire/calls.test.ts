import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SwiftletError } from '../../src/model/errors.ts';
import { connectCalls, type Peer, serveCalls } from '../../src/wire/calls.ts';

const folder = mkdtempSync(join(tmpdir(), 'swiftlet-calls-'));
after(() => rmSync(folder, { recursive: true }));
let sockets = 0;
const socketPath = () => join(folder, `${sockets++}.sock`);

test('an answer, a refusal with its code, and notices in both directions', async () => {
  const path = socketPath();
  const heard: unknown[] = [];
  await using server = await serveCalls(path, 'server', {
    ask(method, body) {
      if (method === 'fail') throw new SwiftletError('HostFull', 'no room');
      return { method, body };
    },
    notice: (method, body, peer) => {
      heard.push([method, body, peer.role]);
      peer.notify('back', 1);
    },
  });
  const back = Promise.withResolvers<unknown>();
  await using client = connectCalls(path, 'client', { notice: (_, body) => back.resolve(body) });
  assert.deepEqual(await client.ask('echo', { a: 1 }), { method: 'echo', body: { a: 1 } });
  await assert.rejects(
    client.ask('fail', null),
    (error) => error instanceof SwiftletError && error.code === 'HostFull' && error.message === 'no room',
  );
  client.notify('said', 2);
  assert.equal(await back.promise, 1);
  assert.deepEqual(heard, [['said', 2, 'client']]);
  assert.equal(server.peers.size, 1);
});

test('an ask waits for a server that is not there yet', async () => {
  const path = socketPath();
  await using client = connectCalls(path, 'client');
  const asked = client.ask('late', null);
  await using server = await serveCalls(path, 'server', { ask: () => 'here' });
  assert.equal(await asked, 'here');
  assert.equal(server.peers.size, 1);
});

test('an ask has a limit, also without a server', async () => {
  await using client = connectCalls(socketPath(), 'client');
  await assert.rejects(client.ask('never', null, 30), (error) => error instanceof SwiftletError && error.code === 'Unavailable');
});

test('a broken connection rejects what was asked, and is made again', async () => {
  const path = socketPath();
  const peers: Peer[] = [];
  await using server = await serveCalls(path, 'server', {
    opened: (peer) => peers.push(peer),
    ask: (method) => (method === 'hang' ? new Promise(() => undefined) : 'answer'),
  });
  await using client = connectCalls(path, 'client');
  await client.ask('first', null);
  const hanging = client.ask('hang', null);
  hanging.catch(() => undefined);
  peers[0]?.close();
  await assert.rejects(hanging, (error) => error instanceof SwiftletError && error.code === 'Unavailable');
  assert.equal(await client.ask('again', null), 'answer');
  assert.equal(server.peers.size, 1);
});

test('who does not greet first is cut off', async () => {
  const path = socketPath();
  await using server = await serveCalls(path, 'server', {});
  const { createConnection } = await import('node:net');
  const socket = createConnection(path);
  socket.resume();
  socket.write(Buffer.from([0, 0, 0, 2, 0x41, 0, 0, 0, 1, 0x7b, 0x7d]));
  await once(socket, 'close');
  assert.equal(server.peers.size, 0);
});

test('a server that speaks nonsense leaves the client unharmed', async () => {
  const path = socketPath();
  const server = createServer((socket) => socket.end(Buffer.alloc(64, 0xff)).resume()).listen(path);
  await once(server, 'listening');
  await using client = connectCalls(path, 'client');
  await assert.rejects(client.ask('anything', null, 100));
  server.close();
});
