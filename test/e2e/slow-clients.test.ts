/** Clients without haste, and clients that stand still: the latter are cut off, the former are not, and others notice neither. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientIdleMs } from '../../src/model/limits.ts';
import { openBystander } from './bystander.ts';
import { type E2e, openE2e } from './functions.ts';
import { closed, connectTo, statusesIn } from './raw-http.ts';
import { publishSlow, slowClients } from './slow-clients.ts';

let e2e: E2e;
let beside: Awaited<ReturnType<typeof openBystander>>;
before(async () => {
  e2e = await openE2e();
  beside = await openBystander(e2e);
  await publishSlow(e2e);
});
after(() => e2e[Symbol.asyncDispose]());

describe('at once', { concurrency: true }, () => {
  test('clients that stand still are cut off after ten seconds, whatever they wait for, and others are not disturbed', async () => {
    await beside(() => slowClients(e2e, 30));
  });

  test('a client that takes its answer slowly gets all of it, longer than it may stand still', async () => {
    const socket = await connectTo(e2e.platform.gatewayUrl);
    let bytes = 0;
    let head = '';
    socket.on('data', (chunk: Buffer) => {
      if (head === '') head = chunk.toString('latin1');
      bytes += chunk.length;
    });
    socket.write('GET /slow-echo/whole HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    const startedAt = performance.now();
    const over = closed(socket);
    while (performance.now() - startedAt < clientIdleMs + 3_000) {
      // A few kilobytes a time, so that what the kernel holds alone is never the whole rest.
      socket.resume();
      await sleep(1);
      socket.pause();
      await sleep(300);
    }
    socket.resume();
    await over;
    assert.deepEqual(statusesIn(head), [200]);
    assert.ok(bytes > 5_500_000, `only ${bytes} bytes came`);
  });
});
