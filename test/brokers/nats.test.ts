import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { test } from 'node:test';
import { startNats } from './nats.ts';

/** What a NATS server says first on a connection. */
async function greeting(url: string): Promise<Record<string, unknown>> {
  const { hostname, port } = new URL(url);
  const socket = createConnection(Number(port), hostname);
  try {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    return JSON.parse(chunk.toString().replace(/^INFO /, '')) as Record<string, unknown>;
  } finally {
    socket.destroy();
  }
}

test('the NATS server is one with JetStream that can sync every write, at the same address after a kill', async () => {
  await using nats = await startNats();
  const { version, jetstream } = await greeting(nats.url);
  assert.match(String(version), /^2\.1\d\./);
  assert.equal(jetstream, true);
  await nats.kill();
  await assert.rejects(greeting(nats.url));
  await nats.start();
  assert.equal((await greeting(nats.url))['version'], version);
});
