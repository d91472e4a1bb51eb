/** Which version requests reach, and what becomes of those that wait when it changes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frame } from '../../src/wire/instance-protocol.ts';
import { allTo, shareOf } from '../../src/model/traffic.ts';
import { emptyState } from '../../src/wire/published-state.ts';
import { plainRouting, type Routing } from '../../src/wire/routing.ts';
import { acquired, type FakeInstance, GatewayUnderTest, problemCode, startedFor, version } from './starting-instance.ts';

const second = { ...version, number: 2 };
const token = 'the-token';
const tokenHash = 'c2a73fcf61dfbdcadc79a10ba330b2ef5eb66fc0a6735ed69b796bb3c97b97ae';

function route(tested: GatewayUnderTest, routing: Partial<Routing>, config = {}): void {
  const serving = { ...version, config: { ...version.config, ...config } };
  tested.gateway.applyState({
    ...emptyState,
    revision: 2,
    functions: new Map([['default/f', serving]]),
    routings: new Map([['default/f', { ...plainRouting, others: [second], ...routing }]]),
    tokenHashes: [tokenHash],
  });
}

/** Answers one request, and says which version it was for. */
async function answerNext(tested: GatewayUnderTest, body = 'fine'): Promise<{ number: number; instance: FakeInstance }> {
  const instance = tested.instance();
  const asked = await tested.asked.take();
  asked.resolve(acquired(asked, instance));
  instance.answer((await instance.frames.take()).stream, body);
  return { number: asked.order.number, instance };
}

test('chance decides between the versions of an alias', async () => {
  await using tested = new GatewayUnderTest();
  route(tested, { aliases: [{ name: 'live', versions: shareOf(2, 5, 1) }] });
  for (const [chance, number] of [
    [0.0499, 2],
    [0.05, 1],
  ] as const) {
    tested.chance = chance;
    const response = tested.call();
    assert.equal((await answerNext(tested)).number, number);
    assert.equal((await response).headers.get('x-swiftlet-version'), String(number));
  }
});

test('another alias has an address of its own; one that is not there is 404 with the remedy', async () => {
  await using tested = new GatewayUnderTest();
  route(tested, { aliases: [{ name: 'beta', versions: allTo(2) }] });
  const [live, beta] = [tested.call(), tested.call({}, 'default', 'f:beta')];
  const numbers = [(await answerNext(tested)).number, (await answerNext(tested)).number];
  assert.deepEqual(numbers.toSorted(), [1, 2]);
  assert.deepEqual(
    (await Promise.all([live, beta])).map(({ headers }) => headers.get('x-swiftlet-version')),
    ['1', '2'],
  );
  const missing = await tested.call({}, 'default', 'f:gamma');
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /"AliasNotFound"|has no alias \\"gamma\\"; \\"swiftlet alias list f\\"/);
});

test('a version is asked for with the token, or by anyone where that is allowed', async () => {
  await using tested = new GatewayUnderTest();
  const ask = (number: string, headers = {}) => tested.call({ headers: { 'x-swiftlet-version': number, ...headers } });
  route(tested, {});
  assert.equal(await problemCode(ask('2')), 'Unauthorized');
  assert.equal(await problemCode(ask('2', { 'x-swiftlet-token': 'wrong' })), 'Unauthorized');
  assert.equal(await problemCode(ask('7', { 'x-swiftlet-token': token })), 'VersionNotFound');
  assert.equal(await problemCode(ask('two', { 'x-swiftlet-token': token })), 'BadRequest');
  const asked = ask('2', { 'x-swiftlet-token': token });
  assert.equal((await answerNext(tested)).number, 2);
  assert.equal((await asked).status, 200);
  route(tested, {}, { versionHeader: 'anyone' });
});

test('what waits for a version that serves no more waits for the next one; what began ends where it is', async () => {
  await using tested = new GatewayUnderTest();
  route(tested, { aliases: [{ name: 'live', versions: allTo(2) }] });
  const { instance, response: begun, asked } = await startedFor(tested);
  assert.equal(asked.order.number, 2);
  const { stream } = await instance.frames.take();
  asked.resolve(acquired(asked, instance));
  const waiting = tested.call();
  assert.equal((await tested.asked.take()).order.number, 2);
  route(tested, { others: [] });
  assert.equal((await answerNext(tested, 'by the first')).number, 1);
  assert.equal(await (await waiting).text(), 'by the first');
  instance.answer(stream, 'by the second');
  const answer = await begun;
  assert.deepEqual([answer.headers.get('x-swiftlet-version'), await answer.text()], ['2', 'by the second']);
});

test('who waits for a version of an alias that is removed hears of it', async () => {
  await using tested = new GatewayUnderTest();
  route(tested, { aliases: [{ name: 'beta', versions: allTo(2) }] });
  const waiting = tested.call({}, 'default', 'f:beta');
  await tested.asked.take();
  route(tested, { others: [] });
  assert.equal(await problemCode(waiting), 'FunctionNotFound');
});

test('versions are counted only while they are watched, from zero for each watch', async () => {
  await using tested = new GatewayUnderTest();
  route(tested, { aliases: [{ name: 'live', versions: allTo(2) }], watch: 7 });
  const first = tested.call();
  const { instance } = await answerNext(tested);
  await first;
  const failing = tested.call();
  const { stream } = await instance.frames.take();
  instance.send(frame.head, stream, JSON.stringify([500, []]));
  instance.send(frame.done, stream, Buffer.alloc(8));
  assert.equal((await failing).status, 500);
  await tested.atRest();
  const watched = tested.gateway.watched('default/f');
  assert.equal(watched.watch, 7);
  assert.deepEqual(
    watched.versions.map(({ version: number, requests, errors, times }) => [
      number,
      requests,
      errors,
      times.reduce((sum, count) => sum + count, 0),
    ]),
    [
      [1, 0, 0, 0],
      [2, 2, 1, 2],
    ],
  );
  route(tested, { aliases: [{ name: 'live', versions: allTo(2) }], watch: 8 });
  assert.deepEqual(
    tested.gateway.watched('default/f').versions.map(({ requests }) => requests),
    [0, 0],
  );
  route(tested, {});
  assert.deepEqual(tested.gateway.watched('default/f'), { watch: undefined, versions: [] });
});
