import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { type Connections, connectionsOf } from '../../src/gateway/http/connections.ts';
import { closed, connectTo } from '../e2e/raw-http.ts';

/** More than the kernel keeps for a caller that does not read. */
const large = Buffer.alloc(32 * 1024 * 1024, 'x');
const graceMs = 10_000;

async function listening(answer: (response: ServerResponse) => void): Promise<{ server: Server; connections: Connections; url: string }> {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
  const connections = connectionsOf(server);
  await once(server, 'listening');
  return { server, connections, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function ask(url: string) {
  const socket = await connectTo(url);
  socket.pause();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  return socket;
}

/** A caller that reads nothing, when its large answer is written. */
async function answered() {
  const { promise: written, resolve } = Promise.withResolvers<undefined>();
  const { connections, url } = await listening((response) => {
    response.end(large);
    resolve(undefined);
  });
  const socket = await ask(url);
  await written;
  return { connections, socket };
}

test('an answer that is complete but not out yet arrives whole, and then the connection ends', async () => {
  const { connections, socket } = await answered();
  connections.refuseMore();
  const ended = connections.end(AbortSignal.timeout(graceMs));
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  socket.resume();
  await closed(socket);
  assert.ok(bytes > large.length, `only ${bytes} bytes came`);
  await ended;
});

test('a connection that is open takes another request when no new ones are taken', async () => {
  const { connections, url } = await listening((response) => response.setHeader('connection', 'close').end('again'));
  const socket = await connectTo(url);
  connections.refuseMore();
  await assert.rejects(connectTo(url), { code: 'ECONNREFUSED' });
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /again$/);
  await connections.end(AbortSignal.timeout(graceMs));
});

test('who does not take the answer in time is broken off', async () => {
  const { connections, socket } = await answered();
  connections.refuseMore();
  await connections.end(AbortSignal.timeout(50));
  socket.destroy();
});
