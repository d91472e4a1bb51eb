/** When a runtime says that nothing of a request goes on in it: before that nobody may stop it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from '../../src/wire/instance-protocol.ts';
import type { RuntimeLink } from './runtime-link.ts';
import { RuntimeUnderTest } from './runtime-under-test.ts';

async function initialised(handler = 'background.handler') {
  const tested = new RuntimeUnderTest('nodejs26');
  assert.ok('initMs' in (await tested.init(handler)));
  return tested;
}

/** Asks as an agent does. @returns how long the answer took */
async function restOf({ link }: RuntimeUnderTest): Promise<number> {
  const askedAt = performance.now();
  link.send(frame.rest, 0);
  await link.next(0, frame.resting);
  return performance.now() - askedAt;
}

async function answered(gateway: RuntimeLink, path: string, deadline = Date.now() + 5_000): Promise<void> {
  const { body } = await gateway.call(path, { deadline });
  assert.match(body.toString(), /answered/);
}

test('one that has nothing to do rests at once, as often as it is asked', async () => {
  await using tested = await initialised();
  for (let round = 0; round < 2; round++) assert.ok((await restOf(tested)) < 100);
});

test('while a gateway is connected it does not rest, whether there is a request or not', async () => {
  await using tested = await initialised();
  const gateway = tested.connect();
  await answered(gateway, '/none');
  let rests = false;
  const resting = restOf(tested).then(() => (rests = true));
  await answered(gateway, '/none');
  // Had it answered, that would have come before this.
  await tested.state();
  assert.equal(rests, false);
  gateway.close();
  await resting;
});

for (const handler of ['background.handler', 'background.app']) {
  test(`what was announced by waitUntil() goes on after the answer, and is waited for: ${handler}`, async () => {
    await using tested = await initialised(handler);
    const gateway = tested.connect();
    await answered(gateway, '/short');
    gateway.close();
    assert.deepEqual(tested.printed, []);
    assert.ok((await restOf(tested)) > 50);
    assert.deepEqual(await tested.texts(1), ['done later']);
  });
}

test('what fails in the background is logged with its request, and ends nothing', async () => {
  await using tested = await initialised();
  const gateway = tested.connect();
  await answered(gateway, '/failing');
  gateway.close();
  await restOf(tested);
  await tested.texts(1);
  const [line] = tested.printed;
  assert.ok(typeof line === 'object');
  assert.deepEqual([line[0], line[2]], ['error', 'request-1']);
  assert.match(line[3], /failed later/);
  await answered(tested.connect(), '/none');
});

test('what does not end is waited for until its request’s time is over, with a warning', async () => {
  await using tested = await initialised();
  const gateway = tested.connect();
  await answered(gateway, '/endless', Date.now() + 300);
  gateway.close();
  assert.ok((await restOf(tested)) > 100);
  assert.match((await tested.texts(1))[0] ?? '', /waitUntil\(\) did not end within the time limit/);
});

test('a handler whose gateway is gone is waited for', async () => {
  await using tested = await initialised();
  const gateway = tested.connect();
  const stream = gateway.open('/slow');
  assert.ok(stream > 0);
  await tested.state(gateway);
  gateway.close();
  assert.ok((await restOf(tested)) > 50);
});
