/** AWS Lambda's Runtime API: what a custom runtime asks and posts, with each answer that it gets, and what of it the platform gets. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { frame, invokeKind } from '../../../src/wire/instance-protocol.ts';
import { begun, RuntimeApiUnderTest } from './program-under-test.ts';

const event = { kind: invokeKind.event };
const ok = { status: 202, text: '{"status":"OK"}' };
const said = ({ status, text }: { readonly status: number; readonly text: string }) => ({ status, text });
const refused = ({ status, text }: { readonly status: number; readonly text: string }) => [
  status,
  (JSON.parse(text) as { errorType: string }).errorType,
];
const maxBytes = 6_291_556;

suite('the Runtime API', { concurrency: 3 }, () => {
  test('an event comes with its headers; the answer goes out as it is; ids count once', async () => {
    const { tested, first } = await begun();
    await using _ = tested;
    const body = '{"text":"grüße 🐦","none":null}';
    const clientContext = Buffer.from('{"custom":{"name":"Zoë"}}').toString('base64');
    const answer = tested.link.call('/', {
      ...event,
      id: 'id-1',
      body,
      deadline: 2_000_000_000_000,
      headers: ['x-amz-client-context', clientContext],
    });
    const { status, headers, text } = await first;
    assert.deepEqual([status, text], [200, body]);
    assert.deepEqual(
      ['aws-request-id', 'deadline-ms', 'invoked-function-arn', 'client-context'].map((name) => headers[`lambda-runtime-${name}`]),
      ['id-1', '2000000000000', 'arn:swiftlet:functions:local:default:function:tested', '{"custom":{"name":"Zo\\u00eb"}}'],
    );
    assert.match(String(headers['lambda-runtime-trace-id']), /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Sampled=0$/);
    assert.deepEqual(refused(await tested.ask('invocation/another/response', { body: '{}' })), [400, 'InvalidRequestID']);
    assert.deepEqual(refused(await tested.ask('invocation/another/error', { body: '{}' })), [400, 'InvalidRequestID']);
    assert.deepEqual(refused(await tested.next()), [403, 'InvalidStateTransition']);
    assert.deepEqual(said(await tested.ask('invocation/id-1/response', { body: '"🐦"' })), ok);
    assert.equal((await answer).body.toString(), '"🐦"');
    const again = await tested.ask('invocation/id-1/response', { body: '"no"' });
    assert.equal(again.status, 403);
    assert.deepEqual(JSON.parse(again.text), {
      errorMessage:
        'State transition from InvocationResponse to InvocationResponse failed for runtime. Error: State transition is not allowed',
      errorType: 'InvalidStateTransition',
    });
    assert.deepEqual(refused(await tested.ask('init/error', { body: '{}' })), [403, 'InvalidStateTransition']);
    assert.deepEqual(
      [(await tested.ask('elsewhere')).status, (await tested.ask('invocation/next')).status, (await tested.ask('restore/next')).status],
      [404, 405, 404],
    );
  });

  test('a request over HTTP comes as an event of a function URL, with the trace that it belongs to; its answer has a status', async () => {
    const { tested, first } = await begun();
    await using _ = tested;
    const headers = ['host', 'example.org', 'traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'];
    const answer = tested.link.call('/a?b=c', { id: 'id-2', headers });
    const { text, headers: got } = await first;
    assert.equal((JSON.parse(text) as { rawPath: string }).rawPath, '/a');
    assert.equal(got['lambda-runtime-trace-id'], 'Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1');
    const body = '{"statusCode":201,"headers":{"X-One":"1"},"body":"made"}';
    assert.equal((await tested.ask('invocation/id-2/response', { body })).status, 202);
    const { status, headers: sent, body: answered } = await answer;
    assert.deepEqual([status, sent.slice(0, 2), answered.toString()], [201, ['x-one', '1'], 'made']);
    const next = tested.next();
    const bad = tested.link.call('/', { id: 'id-3' });
    await next;
    assert.equal((await tested.ask('invocation/id-3/response', { body: 'no JSON' })).status, 202);
    assert.equal((await bad).failure?.code, 'InvalidResponse');
  });

  test('an error is told as it was posted; what names itself nowhere has its name from the header', async () => {
    const { tested, first } = await begun();
    await using _ = tested;
    const answer = tested.link.call('/', { ...event, id: 'id-4' });
    assert.equal((await first).text, '{}');
    const body = '{"errorMessage":"no such 🐦","errorType":"NoBird","stackTrace":["at one\\n","at two"]}';
    assert.deepEqual(said(await tested.ask('invocation/id-4/error', { body })), ok);
    assert.deepEqual((await answer).failure, {
      code: 'HandlerError',
      type: 'NoBird',
      message: 'no such 🐦',
      stack: 'NoBird: no such 🐦\nat one\nat two',
      payload: body,
    });
    const next = tested.next();
    const second = tested.link.call('/', { ...event, id: 'id-5' });
    await next;
    await tested.ask('invocation/id-5/error', { headers: { 'Lambda-Runtime-Function-Error-Type': 'Runtime.Some' }, body: 'plain' });
    const { type, message } = (await second).failure ?? {};
    assert.deepEqual([type, message], ['Runtime.Some', 'plain']);
  });

  test('6,291,556 bytes go through; one more is 413 for the program, and the function’s failure for the caller', async () => {
    const { tested, first } = await begun();
    await using _ = tested;
    const stream = tested.link.open('/', { ...event, id: 'id-6' });
    tested.link.sendCredit(stream, maxBytes);
    await first;
    const most = `"${'x'.repeat(maxBytes - 2)}"`;
    assert.equal((await tested.ask('invocation/id-6/response', { body: most })).status, 202);
    assert.equal((await tested.link.answer(stream)).body.length, maxBytes);
    const next = tested.next();
    const answer = tested.link.call('/', { ...event, id: 'id-7' });
    await next;
    const tooLarge = await tested.ask('invocation/id-7/response', { body: `${most} ` });
    assert.deepEqual(refused(tooLarge), [413, 'RequestEntityTooLarge']);
    const { failure } = await answer;
    assert.equal(failure?.code, 'ResponseTooLarge');
    assert.match(failure.message, /6291557 bytes\) exceeded maximum allowed payload size \(6291556 bytes\)/);
  });

  test('a streamed answer goes out as it comes, with the status and headers that it begins with', async () => {
    const { tested, first } = await begun();
    await using _ = tested;
    const stream = tested.link.open('/', { id: 'id-8' });
    await first;
    const { promise: goOn, resolve } = Promise.withResolvers<undefined>();
    async function* pieces() {
      yield '{"statusCode":418,"headers":{"X-Tea":"yes"},"cook';
      yield 'ies":["a=b"]}\0\0\0\0';
      yield '\0\0\0\0first';
      await goOn;
      yield 'second';
    }
    const headers = {
      'lambda-runtime-function-response-mode': 'streaming',
      'content-type': 'application/vnd.awslambda.http-integration-response',
      'transfer-encoding': 'chunked',
    };
    const posted = tested.ask('invocation/id-8/response', { headers, body: pieces() });
    const head = JSON.parse((await tested.link.next(stream, frame.head)).payload.toString()) as unknown;
    assert.deepEqual(head, [418, ['x-tea', 'yes', 'set-cookie', 'a=b', 'content-type', 'application/octet-stream']]);
    assert.equal((await tested.link.next(stream, frame.responseBody)).payload.toString(), 'first');
    resolve(undefined);
    assert.equal((await tested.link.answer(stream)).body.toString(), 'second');
    assert.deepEqual(said(await posted), ok);
  });

  test('trailers say that a streamed answer failed; one that breaks off is no answer', async () => {
    const { tested, first } = await begun();
    await using _ = tested;
    const stream = tested.link.open('/', { ...event, id: 'id-9' });
    await first;
    const failed = Buffer.from('{"errorMessage":"later","errorType":"Late"}').toString('base64');
    const posted = await tested.ask('invocation/id-9/response', {
      headers: {
        'lambda-runtime-function-response-mode': 'streaming',
        'transfer-encoding': 'chunked',
        trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body',
      },
      body: 'begun',
      trailers: { 'Lambda-Runtime-Function-Error-Type': 'Late', 'Lambda-Runtime-Function-Error-Body': failed },
    });
    assert.equal(posted.status, 202);
    const { body, failure } = await tested.link.answer(stream);
    assert.deepEqual([body.toString(), failure?.type, failure?.message], ['begun', 'Late', 'later']);
  });

  test('with concurrency several events are out at once, answered in any order', async () => {
    const { tested, first } = await begun({ concurrency: 2 });
    await using _ = tested;
    const second = tested.next();
    const answers = [tested.link.call('/', { ...event, id: 'a', body: '1' }), tested.link.call('/', { ...event, id: 'b', body: '2' })];
    assert.deepEqual([(await first).text, (await second).text], ['1', '2']);
    assert.deepEqual(refused(await tested.next()), [403, 'InvalidStateTransition']);
    await tested.ask('invocation/b/response', { body: '"B"' });
    await tested.ask('invocation/a/response', { body: '"A"' });
    assert.deepEqual(
      (await Promise.all(answers)).map(({ body }) => body.toString()),
      ['"A"', '"B"'],
    );
  });

  test('an init that the program says has failed is told; nothing can be asked for after it', async () => {
    await using tested = new RuntimeApiUnderTest();
    const { initialised } = await tested.begin();
    const body = '{"errorMessage":"no table","errorType":"Config.Missing"}';
    assert.deepEqual(said(await tested.ask('init/error', { body })), ok);
    const failure = await initialised;
    assert.ok('code' in failure);
    assert.deepEqual([failure.code, failure.type, failure.message], ['InitError', 'Config.Missing', 'no table']);
    assert.deepEqual(refused(await tested.next()), [403, 'InvalidStateTransition']);
  });
});
