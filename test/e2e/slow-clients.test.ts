/** Clients without haste, and clients that stand still: the latter are cut off, the former are not, and others notice neither. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { clientIdleMs } from '../../src/model/limits.ts';
import { frame, initialCreditBytes } from '../../src/wire/instance-protocol.ts';
import { openBystander } from './bystander.ts';
import { acquired, type FakeInstance, GatewayUnderTest } from '../gateway/starting-instance.ts';
import { type E2e, eventually, openE2e } from './functions.ts';
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
    socket.write('GET /slow-whole/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
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

  test('a client that does not take the end of an answer is cut off too', async () => {
    await using tested = new GatewayUnderTest();
    const instance = tested.instance();
    const socket = await connectTo(await tested.url());
    socket.pause();
    socket.write('GET /default HTTP/1.1\r\nHost: a\r\n\r\n');
    const asked = await tested.asked.take();
    asked.resolve(acquired(asked, instance));
    const { stream } = await instance.frames.take();
    instance.send(frame.head, stream, JSON.stringify([200, []]));
    const heldAfter = performance.now();
    await sendUntilHeld(instance, stream);
    instance.send(frame.done, stream, Buffer.alloc(8));
    await tested.atRest();
    assert.equal(await tested.connections(), 1);
    await eventually(
      () => tested.connections(),
      (count) => count === 0,
      // The first look at how much is left may only show that it is less than it was.
      6 * clientIdleMs,
    );
    assert.ok(performance.now() - heldAfter > clientIdleMs - 1_000);
    socket.destroy();
  });
});

const piece = Buffer.alloc(64 * 1024);
/** So long without new credit: all that was sent is in the platform's hands, since the kernel takes no more. */
const heldMs = 500;

/** Sends what the gateway gives credit for, until it gives none. */
async function sendUntilHeld(instance: FakeInstance, stream: number): Promise<void> {
  let credit = initialCreditBytes;
  for (;;) {
    for (; credit >= piece.length; credit -= piece.length) instance.send(frame.responseBody, stream, piece);
    const more = await Promise.race([instance.frames.take(), sleep(heldMs)]);
    if (more === undefined) return;
    credit += more.payload.readUInt32BE(0);
  }
}
