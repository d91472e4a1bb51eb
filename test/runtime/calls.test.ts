/** context.invoke(): what a runtime sends to its gateway, and what it makes of the answers. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readCall } from '../../src/gateway/calls/call-frames.ts';
import { nodeRuntimeNames } from '../../src/model/runtimes.ts';
import { callKind, callOutcome, frame, invokeKind } from '../../src/wire/instance-protocol.ts';
import type { RuntimeLink } from './runtime-link.ts';
import { RuntimeUnderTest } from './runtime-under-test.ts';

/** Sends an event as its invocation. @returns its stream */
function send(link: RuntimeLink, event: unknown): number {
  const body = Buffer.from(JSON.stringify(event));
  const stream = link.open('/', { kind: invokeKind.event, body });
  link.sendBody(stream, body);
  return stream;
}
async function callOn(link: RuntimeLink, stream: number) {
  const call = readCall((await link.next(stream, frame.call)).payload);
  assert.ok(call !== undefined);
  return { ...call, event: call.event.toString() };
}
function answer(link: RuntimeLink, stream: number, number: number, outcome: number, text: string): void {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(number);
  head[4] = outcome;
  link.send(frame.callAnswer, stream, Buffer.concat([head, Buffer.from(text)]));
}
const resultOf = async (link: RuntimeLink, stream: number): Promise<unknown> => JSON.parse((await link.answer(stream)).body.toString());

for (const runtime of nodeRuntimeNames) {
  suite(runtime, () => {
    test('a call has the name and the event; its answer is what the function returned', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('calls.one');
      const { link } = tested;
      const cases: [outcome: number, text: string, result: unknown][] = [
        [callOutcome.json, '{"n":2}', { n: 2 }],
        [callOutcome.json, 'null', null],
        [callOutcome.text, 'plain', 'plain'],
        [
          callOutcome.failed,
          '{"code":"Timeout","status":504,"detail":"too long"}',
          { name: 'InvokeError', code: 'Timeout', status: 504, message: 'too long' },
        ],
        [callOutcome.json, '{', { name: 'InvokeError', code: 'Internal', status: 500, message: 'the answer cannot be read' }],
      ];
      for (const [outcome, text, result] of cases) {
        const stream = send(link, { name: 'other', event: { n: 1 } });
        const call = await callOn(link, stream);
        assert.deepEqual([call.function, call.event, call.isAsync], ['other', '{"n":1}', false]);
        answer(link, stream, call.number, outcome, text);
        assert.deepEqual(await resultOf(link, stream), result);
      }
    });

    test('one that nobody waits for says so, and gets the id', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('calls.one');
      const stream = send(tested.link, { name: 'other', async: true });
      const call = await callOn(tested.link, stream);
      assert.deepEqual([call.isAsync, call.event, callKind.async], [true, '{}', 1]);
      answer(tested.link, stream, call.number, callOutcome.accepted, '{"id":"x"}');
      assert.deepEqual(await resultOf(tested.link, stream), { id: 'x' });
    });
  });
}

test('of many calls sixteen are sent at a time, and each answer finds its own', async () => {
  await using tested = new RuntimeUnderTest('nodejs26');
  await tested.init('calls.many');
  const { link } = tested;
  const stream = send(link, { count: 20 });
  const sent = [];
  for (let at = 0; at < 16; at++) sent.push(await callOn(link, stream));
  for (const { number, event } of sent.toReversed()) answer(link, stream, number, callOutcome.json, `"<${event}>"`);
  for (let at = 16; at < 20; at++) {
    const { number, event } = await callOn(link, stream);
    answer(link, stream, number, callOutcome.json, `"<${event}>"`);
  }
  assert.equal(await resultOf(link, stream), Array.from({ length: 20 }, (_, at) => `<${at}>`).join());
});

test('what is no call is refused where it is made', async () => {
  await using tested = new RuntimeUnderTest('nodejs26');
  await tested.init('calls.wrong');
  const result = (await resultOf(tested.link, send(tested.link, {}))) as { name: string }[];
  assert.deepEqual(
    result.map(({ name }) => name),
    ['TypeError', 'TypeError', 'TypeError', 'TypeError'],
  );
});

test('a call whose invocation ends, or whose connection goes, ends with it', async () => {
  await using tested = new RuntimeUnderTest('nodejs26');
  await tested.init('calls.late');
  const { link } = tested;
  assert.equal(await resultOf(link, send(link, {})), 'early');
  // A late answer to a stream that is over harms nobody.
  answer(link, 1, 1, callOutcome.json, '1');
  assert.equal(await resultOf(link, send(link, {})), 'early');
  const texts = await tested.texts(2);
  assert.match(texts[0] ?? '', /the invocation is over/);
});

test('the answer to a call that nobody made, and bytes that are none, are dropped', async () => {
  await using tested = new RuntimeUnderTest('nodejs26');
  await tested.init('calls.one');
  const stream = send(tested.link, { name: 'other' });
  const { number } = await callOn(tested.link, stream);
  answer(tested.link, stream, number + 5, callOutcome.json, '"forged"');
  answer(tested.link, stream, number, callOutcome.json, '"right"');
  assert.equal(await resultOf(tested.link, stream), 'right');
});
