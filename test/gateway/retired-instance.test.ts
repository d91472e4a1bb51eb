/** The agent has started another instance for one with a rotated secret. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from '../../src/wire/instance-protocol.ts';
import { acquired, done, GatewayUnderTest, startedFor } from './starting-instance.ts';

test('a retired instance ends what it has, gets nothing more, and counts no more against the maximum', async () => {
  await using tested = new GatewayUnderTest({ maximum: 1 });
  const { instance, response, asked } = await startedFor(tested);
  const first = await instance.frames.take();
  asked.resolve(acquired(asked, instance));
  await tested.inFlight(1);
  await new Promise(setImmediate);
  tested.gateway.notices.retired(asked.order.instanceId);
  tested.gateway.notices.retired(asked.order.instanceId);

  const second = tested.instance();
  const next = tested.call();
  const again = await tested.asked.take();
  again.resolve({ ...acquired(again, second), instanceId: 'the new one', start: 'warm' });
  const its = await second.frames.take();
  assert.equal(its.type, frame.invoke, 'the new one has the request while the old one is busy');

  for (const [one, stream] of [
    [instance, first.stream],
    [second, its.stream],
  ] as const) {
    one.send(frame.head, stream, JSON.stringify([200, []]));
    one.send(frame.done, stream, done(1));
  }
  assert.deepEqual([(await response).status, (await next).status], [200, 200]);
  await tested.atRest();
  const told = await tested.told.take();
  assert.deepEqual([told.method, (told.body as { instanceId: string }).instanceId], ['release', asked.order.instanceId]);
});

test('one that has nothing to do is given back at once', async () => {
  await using tested = new GatewayUnderTest();
  const { instance, response, asked } = await startedFor(tested);
  const { stream } = await instance.frames.take();
  asked.resolve(acquired(asked, instance));
  instance.send(frame.head, stream, JSON.stringify([200, []]));
  instance.send(frame.done, stream, done(1));
  await response;
  await tested.atRest();
  tested.gateway.notices.retired(asked.order.instanceId);
  assert.equal((await tested.told.take()).method, 'release');
  tested.gateway.notices.retired('nobody');
});
