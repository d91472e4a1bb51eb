/** What handlers in Python get and give: answers, failures, records, streams, calls, rest. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readCall } from '../../../src/gateway/calls/call-frames.ts';
import { callOutcome, frame, invokeKind } from '../../../src/wire/instance-protocol.ts';
import type { RuntimeLink } from '../runtime-link.ts';
import { initialised, type PythonUnderTest } from './python-under-test.ts';

const records = (tested: PythonUnderTest) => tested.printed.map((line) => (typeof line === 'string' ? line : [line[0], line[2], line[3]]));
const json = ({ body }: { readonly body: Buffer }): unknown => JSON.parse(body.toString());

function sendEvent(link: RuntimeLink, event: unknown): number {
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
function answerCall(link: RuntimeLink, stream: number, number: number, outcome: number, text: string): void {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(number);
  head[4] = outcome;
  link.send(frame.callAnswer, stream, Buffer.concat([head, Buffer.from(text)]));
}

suite('Python', { concurrency: 2 }, () => {
  test('what is raised is told and logged with its place, and the next request is fine', async () => {
    await using tested = await initialised('errors.handler');
    for (const [path, code, type, message, stack] of [
      ['raises', 'HandlerError', 'Teapot', 'short and stout', /^Traceback .*\n {2}File ".*errors\.py", line \d+, in handler\n/],
      ['chained', 'HandlerError', 'TypeError', 'not a kettle', /OSError: no water\n\nThe above exception was the direct cause/],
      ['hostile', 'HandlerError', 'unknown', 'something was raised that cannot be read', /^$/],
      ['not-json', 'InvalidResponse', 'InvalidResponse', /Object of type object is not JSON serializable/, /^$/],
    ] as const) {
      const { failure, status } = await tested.link.call(`/${path}`, { id: path });
      assert.deepEqual([status, failure?.code, failure?.type], [undefined, code, type]);
      assert.match(failure?.message ?? '', new RegExp(message));
      assert.match(failure?.stack ?? '', stack);
      if (path !== 'raises') continue;
      const { stackTrace, ...told } = JSON.parse(failure?.payload ?? '') as { stackTrace: string[] };
      assert.deepEqual(told, { errorMessage: message, errorType: type, requestId: path }, 'as AWS’s own client posts it');
      assert.match(stackTrace.at(-1) ?? '', /^ {2}File ".*errors\.py", line \d+, in \w+\n {4}\S/);
    }
    await tested.texts(4);
    assert.deepEqual(
      tested.printed.map((line) => [line[0], line[2]]),
      ['raises', 'chained', 'hostile', 'not-json'].map((id) => ['error', id]),
    );
    assert.equal((await tested.link.call('/fine')).body.toString(), '"fine"');
  });

  for (const [path, code, texts] of [
    ['exits', 7, ['last words']],
    ['exits-with-a-word', 1, ['gone']],
    ['ends', 3, []],
  ] as const) {
    test(`a process that ${path} loses none of its words`, async () => {
      await using tested = await initialised('errors.handler');
      const stream = tested.link.open(`/${path}`);
      await assert.rejects(tested.link.next(stream, frame.done), /closed/);
      assert.deepEqual(await tested.exited, { code, signal: null });
      assert.deepEqual(await tested.texts(texts.length), texts);
    });
  }

  test('lines are records of their request, of threads, too; one without an end is ended with it', async () => {
    await using tested = await initialised('prints.handler');
    await tested.link.call('/streams', { id: 'id-1' });
    await tested.texts(7);
    assert.deepEqual(records(tested), [
      ['info', 'id-1', 'one'],
      ['info', 'id-1', 'two'],
      ['info', 'id-1', 'begun'],
      ['error', 'id-1', 'problem'],
      ['info', 'id-1', 'ü'],
      ['info', 'id-1', 'from a thread'],
      ['info', 'id-1', 'unfinished'],
    ]);
  });

  test('what is logged has its level', async () => {
    await using tested = await initialised('prints.handler');
    await tested.link.call('/logging', { id: 'id-2' });
    await tested.texts(5);
    const told = records(tested) as [string, string, string][];
    assert.deepEqual(
      told.map(([level, id]) => [level, id]),
      ['debug', 'info', 'warn', 'fatal', 'error'].map((level) => [level, 'id-2']),
    );
    assert.equal(told[0]?.[2], 'a b');
    assert.match(told[4]?.[2] ?? '', /^it failed\nTraceback .*ValueError: shown$/s);
  });

  test('a long line is cut, and says so', async () => {
    await using tested = await initialised('prints.handler');
    await tested.link.call('/long');
    assert.match((await tested.texts(1))[0] ?? '', /^x{16384}… \(3616 bytes cut\)$/);
  });

  test('several at once: threads for what blocks, each with its own records', async () => {
    await using tested = await initialised('answers.together', { concurrency: 4 });
    const ids = ['a', 'b', 'c', 'd'];
    const answers = await Promise.all(ids.map((id) => tested.link.call(`/${id}`, { id })));
    assert.deepEqual(
      answers.map(json),
      ids.map((id) => ({ id })),
    );
    await tested.texts(5);
    assert.deepEqual(
      records(tested).slice(1).sort(),
      ids.map((id) => ['info', id, `together /${id}`]),
    );
  });

  test('an async handler takes several at once in one loop', async () => {
    await using tested = await initialised('answers.later', { concurrency: 50 });
    const ids = Array.from({ length: 50 }, (_, at) => String(at));
    const answers = await Promise.all(ids.map((id) => tested.link.call('/', { id })));
    assert.deepEqual(
      answers.map(json),
      ids.map((later) => ({ later })),
    );
  });

  test('an iterator’s pieces are sent as credit comes', async () => {
    await using tested = await initialised('answers.streams');
    const stream = tested.link.open('/');
    let size = 0;
    while (size < 256 * 1024) size += (await tested.link.next(stream, frame.responseBody)).payload.length;
    assert.equal(size, 256 * 1024, 'without credit no more comes');
    tested.link.sendCredit(stream, size);
    const { body, done } = await tested.link.answer(stream);
    assert.deepEqual([body.length + size, done === undefined], [40 * 32 * 1024, false]);
  });

  test('a stream that nobody takes any more ends', async () => {
    await using tested = await initialised('answers.streams');
    const stream = tested.link.open('/');
    await tested.link.next(stream, frame.head);
    tested.link.send(frame.cancel, stream);
    await tested.link.next(stream, frame.done);
  });

  test('what a client of the Lambda API sends along has AWS’s names', async () => {
    await using tested = await initialised('answers.sent_along');
    const sent = { custom: { a: 'é' }, env: { locale: 'de' }, client: { app_title: 'till' } };
    const headers = ['x-amz-client-context', Buffer.from(JSON.stringify(sent)).toString('base64')];
    const answer = await tested.link.call('/', { kind: invokeKind.event, body: '{}', headers });
    assert.deepEqual(json(answer), { custom: { a: 'é' }, env: { locale: 'de' }, title: 'till', id: null });
    assert.equal(json(await tested.link.call('/', { kind: invokeKind.event, body: '{}' })), null);
    assert.equal(json(await tested.link.call('/', { headers })), null, 'a header of HTTP is none');
  });

  test('WSGI: the request in the environ, the answer streamed', async () => {
    await using tested = await initialised('applications.wsgi');
    const headers = ['host', 'shop.example:8443', 'x-forwarded-proto', 'https', 'content-type', 'text/plain', 'x-a', '1', 'x-a', '2'];
    const answer = await tested.link.call('/a%20b?c=d', { body: 'sent', headers });
    const told = `['POST', '/a b', 'c=d', 'text/plain', '4', '1,2', 'shop.example', '8443', 'https', '192.0.2.1']`;
    assert.deepEqual([answer.status, answer.body.toString()], [201, `${told}sent`]);
    assert.deepEqual(answer.headers, ['content-type', 'text/plain', 'set-cookie', 'a=1', 'set-cookie', 'b=2']);
    assert.equal((await tested.link.call('/fails')).failure?.type, 'LookupError');
    assert.match((await tested.link.call('/silent')).failure?.message ?? '', /without having called start_response/);
    assert.match((await tested.link.answer(sendEvent(tested.link, {}))).failure?.message ?? '', /answers HTTP requests only/);
  });

  test('ASGI: lifespan, a large body, the answer streamed', async () => {
    await using tested = await initialised('applications.asgi', { concurrency: 5 });
    const body = Buffer.alloc(600_000, 'abc');
    const answer = await tested.link.call('/%C3%BC?c=d', { body, headers: ['host', 'shop.example', 'x-a', '1'], unknownLength: true });
    const told = `['POST', '/ü', b'/%C3%BC', b'c=d', '192.0.2.1', ('shop.example', 80), 'http', {'greeting': 'hello'}, 1, b'1', {b'c': [b'd']}]`;
    assert.equal(answer.body.subarray(0, -body.length).toString(), told);
    assert.ok(answer.body.subarray(-body.length).equals(body));
    assert.deepEqual([answer.status, answer.headers], [201, ['x-b', 'c', 'set-cookie', 'a=1']]);
    assert.equal((await tested.link.call('/fails')).failure?.type, 'LookupError');
    assert.match((await tested.link.call('/silent')).failure?.message ?? '', /returned without an answer/);
  });

  test('ASGI: who hangs up is told by http.disconnect', async () => {
    await using tested = await initialised('applications.asgi');
    const stream = tested.link.open('/forever');
    await tested.link.next(stream, frame.head);
    tested.link.send(frame.cancel, stream);
    assert.deepEqual(await tested.texts(1), ['disconnected']);
  });

  test('ASGI: an application without lifespan is served', async () => {
    await using tested = await initialised('applications.refuses_lifespan');
    assert.equal((await tested.link.call('/')).body.toString(), 'fine');
  });

  test('a call has the name and the event; its answer is what the function returned', async () => {
    await using tested = await initialised('calls.one');
    const { link } = tested;
    for (const [outcome, text, result] of [
      [callOutcome.json, '{"n":2}', { n: 2 }],
      [callOutcome.text, 'plain', 'plain'],
      [
        callOutcome.failed,
        '{"code":"Timeout","status":504,"detail":"too long"}',
        { type: 'InvokeError', code: 'Timeout', status: 504, message: 'too long' },
      ],
      [callOutcome.json, '{', { type: 'InvokeError', code: 'Internal', status: 500, message: 'the answer cannot be read' }],
    ] as const) {
      const stream = sendEvent(link, { name: 'other', event: { n: 1 } });
      const call = await callOn(link, stream);
      assert.deepEqual([call.function, JSON.parse(call.event), call.isAsync], ['other', { n: 1 }, false]);
      answerCall(link, stream, call.number, outcome, text);
      assert.deepEqual(json(await link.answer(stream)), result);
    }
    const stored = sendEvent(link, { name: 'other', wait: false });
    const call = await callOn(link, stored);
    assert.deepEqual([call.isAsync, call.event], [true, '{}']);
    answerCall(link, stored, call.number, callOutcome.accepted, '{"id":"x"}');
    assert.deepEqual(json(await link.answer(stored)), { id: 'x' });
    assert.deepEqual(json(await link.answer(sendEvent(link, { name: '' }))), {
      type: 'TypeError',
      code: null,
      status: null,
      message: 'invoke() takes the name of a function',
    });
  });

  test('of many calls sixteen are sent at a time, and each answer finds its own', async () => {
    await using tested = await initialised('calls.many');
    const { link } = tested;
    const stream = sendEvent(link, { count: 20 });
    const sent = [];
    for (let at = 0; at < 16; at++) sent.push(await callOn(link, stream));
    for (const { number, event } of sent.toReversed()) answerCall(link, stream, number, callOutcome.json, `"<${event}>"`);
    for (let at = 16; at < 20; at++) {
      const { number, event } = await callOn(link, stream);
      answerCall(link, stream, number, callOutcome.json, `"<${event}>"`);
    }
    assert.deepEqual(
      json(await link.answer(stream)),
      Array.from({ length: 20 }, (_, at) => `<${at}>`),
    );
  });

  for (const handler of ['handler', 'async_handler', 'app']) {
    test(`what goes on after the answer keeps the instance from rest: background.${handler}`, async () => {
      await using tested = await initialised(`background.${handler}`);
      const gateway = tested.connect();
      assert.match((await gateway.call('/')).body.toString(), /answered/);
      tested.link.send(frame.rest, 0);
      // Had it answered, that would have come before this.
      await tested.state();
      assert.deepEqual(tested.printed, []);
      gateway.close();
      await tested.link.next(0, frame.resting);
      assert.deepEqual(await tested.texts(1), ['done later']);
      tested.link.send(frame.rest, 0);
      await tested.link.next(0, frame.resting);
    });
  }

  test('what fails in the background is logged with its request', async () => {
    await using tested = await initialised('background.handler');
    await tested.link.call('/fails', { id: 'id-3' });
    await tested.texts(1);
    const [[level, id, text] = []] = records(tested) as string[][];
    assert.deepEqual([level, id], ['error', 'id-3']);
    assert.match(text ?? '', /ValueError: failed later/);
  });
});
