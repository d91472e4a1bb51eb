/** The clients of the Runtime API that AWS makes, unchanged, in real sandboxes: each is asked for the same, through Lambda's own API. */
import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { InvokeCommand, type InvokeCommandOutput, InvokeWithResponseStreamCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { missingTools } from '../programs/missing-tools.ts';
import { clientTools, runtimeClients } from '../programs/runtime-clients.ts';
import { eventually } from './functions.ts';
import { type LambdaUnderTest, openLambda } from './lambda-under-test.ts';

interface Client {
  readonly name: keyof typeof runtimeClients;
  readonly handler?: string;
  /** Where it has another one for streams. */
  readonly streams?: string;
  /** As it names what its language throws for `error`. */
  readonly errorType?: string;
  /** What it says of an init that throws, when it says anything. */
  readonly thrown?: RegExp;
  readonly memoryMiB?: number;
}

const clients: readonly Client[] = [
  { name: 'bash', thrown: /Config\.Missing: no table/ },
  { name: 'go' },
  { name: 'rust' },
  { name: 'node', handler: 'function.handler', streams: 'function.streamed', errorType: 'TypeError', thrown: /RangeError: no table/ },
  { name: 'python', handler: 'function.handler', errorType: 'ValueError', thrown: /LookupError: no table/ },
  {
    name: 'java',
    handler: 'Function',
    errorType: 'java.lang.IllegalArgumentException',
    thrown: /java\.lang\.ExceptionInInitializerError: Error loading class Function/,
    memoryMiB: 512,
  },
];
const megabyte = 1024 * 1024;
const payloads: readonly (readonly [what: string, payload: string | undefined, answered?: unknown])[] = [
  ['missing', undefined, {}],
  ['null', 'null'],
  ['a number', '-1.5e3'],
  ['an empty text', '""'],
  ['emoji', '"🐦‍⬛ grüße \\u0000"'],
  ['a list', '[1,[],{}]'],
  ['an object', '{"a":{"b":[null,true]},"ключ":"值"}'],
  ['5 MB', JSON.stringify('🐦'.repeat((5 * megabyte) / 4))],
];
/** For the clients' own starts, however busy the machine is. */
const longMs = 60_000;

let under: LambdaUnderTest;
let lambda: LambdaClient;
before(async () => {
  under = await openLambda();
  lambda = under.client(await under.key('--role', 'admin'));
});
after(() => under[Symbol.asyncDispose]());

const invoke = (name: string, payload?: string, more: object = {}) =>
  lambda.send(new InvokeCommand({ FunctionName: name, ...(payload === undefined ? {} : { Payload: payload }), ...more }));
const said = ({ Payload: payload }: InvokeCommandOutput): unknown => JSON.parse(payload?.transformToString() ?? '');
const failureOf = (answer: InvokeCommandOutput) => {
  const { errorType, errorMessage } = said(answer) as Record<string, string>;
  return [answer.FunctionError, errorType, errorMessage] as const;
};

for (const { name, handler = 'some.handler', streams = handler, errorType = 'errorString', thrown, memoryMiB = 128 } of clients) {
  suite(`a runtime client: ${name}`, { skip: missingTools(clientTools[name]) }, () => {
    const publish = async (suffix: string, config: object = {}) =>
      under.e2e.publish(`${name}${suffix}`, await runtimeClients[name](), {
        runtime: 'provided',
        handler,
        memoryMiB,
        timeoutMs: longMs,
        initTimeoutMs: longMs,
        ...config,
      });

    test('eight payloads come back as they were sent; its context comes with an event', async () => {
      await publish('');
      for (const [what, payload, answered = JSON.parse(payload ?? '') as unknown] of payloads) {
        const answer = await invoke(name, payload);
        assert.equal(answer.FunctionError, undefined, `${what}: ${answer.Payload?.transformToString()}`);
        assert.deepEqual(said(answer), answered, what);
      }
      const ClientContext = Buffer.from('{"custom":{"name":"me"}}').toString('base64');
      const answer = await invoke(name, '{"do":"context"}', { ClientContext });
      const { id, custom, leftMs } = said(answer) as { id: string; custom: string; leftMs: number };
      assert.deepEqual([id, custom], [answer.$metadata.requestId, 'me']);
      assert.ok(leftMs > 0 && leftMs <= longMs, String(leftMs));
    });

    test('an error is the function’s answer, and the next event is served by the same instance', async () => {
      assert.deepEqual(failureOf(await invoke(name, '{"do":"error"}')), ['Unhandled', errorType, 'as asked']);
      const { status, headers } = await under.e2e.call(`/${name}/`);
      assert.deepEqual([status, headers.get('x-swiftlet-start')], [200, 'warm']);
    });

    test('an answer keeps its status and its headers, streamed where the client can, and comes to who wants a stream', async () => {
      if (streams !== handler) await publish('', { handler: streams });
      const { status, headers, text } = await under.e2e.call(`/${name}/streamed`);
      assert.deepEqual([status, headers.get('x-from'), text], [201, name, 'one two 🐦']);
      const { EventStream: stream } = await lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: name, Payload: '[1]' }));
      let streamed = '';
      for await (const { PayloadChunk: chunk } of stream ?? []) streamed += Buffer.from(chunk?.Payload ?? []).toString();
      assert.equal(streamed, '[1]');
    });

    test('one that exits, or takes too long, is said to; another one takes its place', async () => {
      await publish('', { timeoutMs: 1_000 });
      // An end is an end, but one that comes late would be said to be too late.
      const [failed, type, message] = await eventually(
        async () => failureOf(await invoke(name, '{"do":"exit"}')),
        ([, what]) => what !== 'Sandbox.Timedout',
        longMs,
      );
      assert.deepEqual([failed, type], ['Unhandled', 'Runtime.ExitError']);
      assert.match(message ?? '', /exited with code 3/);
      const timedOut = failureOf(await invoke(name, '{"do":"sleep"}'));
      assert.deepEqual(timedOut.slice(0, 2), ['Unhandled', 'Sandbox.Timedout']);
      assert.match(timedOut[2] ?? '', /Task timed out after 1\.00 seconds/);
      await eventually(
        async () => (await invoke(name, '1')).Payload?.transformToString(),
        (answered) => answered === '1',
        longMs,
      );
    });

    test('one that ends before it asks for an event has failed to initialise', async () => {
      await publish('-init', { environment: { FAIL: 'init' } });
      const [failed, type, message] = failureOf(await invoke(`${name}-init`));
      assert.deepEqual([failed, type], ['Unhandled', 'Runtime.ExitError']);
      assert.match(message ?? '', /^RequestId: \S+ Error: Runtime exited before it could ask for its first event: exit status 7/);
    });

    if (thrown !== undefined)
      test('an init that throws is told as the client tells it', async () => {
        await publish('-thrown', { environment: { FAIL: 'thrown' } });
        const [, ...told] = failureOf(await invoke(`${name}-thrown`));
        assert.match(told.join(': '), thrown);
      });
  });
}
