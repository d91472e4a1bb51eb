/** Custom runtimes in real sandboxes: clients of the Runtime API as AWS knows them, unchanged, invoked through Lambda's own API. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, suite, test } from 'node:test';
import {
  CreateFunctionCommand,
  InvokeCommand,
  type InvokeCommandOutput,
  InvokeWithResponseStreamCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda';
import { goProgram } from '../brokers/go-program.ts';
import { zip } from '../lambda/zip.ts';
import { type LambdaUnderTest, openLambda } from './lambda-under-test.ts';

const programs = new URL('../programs/', import.meta.url);
const bash = readFileSync(new URL('bootstrap.sh', programs), 'utf8');
const clients: readonly { readonly name: string; readonly bootstrap: () => Promise<string | Buffer> }[] = [
  { name: 'bash', bootstrap: () => Promise.resolve(bash) },
  { name: 'go', bootstrap: async () => readFileSync(await goProgram(new URL('go-function', programs), '.')) },
];
const megabyte = 1024 * 1024;
const payloads: readonly (readonly [what: string, payload: string | undefined, answered?: string])[] = [
  ['missing', undefined, '{}'],
  ['null', 'null'],
  ['a number', '-1.5e3'],
  ['an empty text', '""'],
  ['emoji', '"🐦‍⬛ grüße \\u0000"'],
  ['a list', '[1,[],{}]'],
  ['an object', '{"a":{"b":[null,true]},"ключ":"值"}'],
  ['5 MB', JSON.stringify('🐦'.repeat((5 * megabyte) / 4))],
];

let under: LambdaUnderTest;
let lambda: LambdaClient;
before(async () => {
  under = await openLambda();
  lambda = under.client(await under.key('--role', 'admin'));
});
after(() => under[Symbol.asyncDispose]());

const invoke = (name: string, payload?: string, more: object = {}) =>
  lambda.send(new InvokeCommand({ FunctionName: name, ...(payload === undefined ? {} : { Payload: payload }), ...more }));
const failureOf = ({ FunctionError: failed, Payload: payload }: InvokeCommandOutput) => {
  const { errorType, errorMessage } = JSON.parse(payload?.transformToString() ?? '') as Record<string, string>;
  return [failed, errorType, errorMessage] as const;
};

for (const { name, bootstrap } of clients) {
  suite(`a runtime client: ${name}`, () => {
    const publish = async (suffix: string, config: object = {}) =>
      under.e2e.publish(`${name}${suffix}`, { bootstrap: await bootstrap() }, { runtime: 'provided', handler: 'some.handler', ...config });

    test('eight payloads come back as they were sent; its context comes with an event', async () => {
      await publish('', { timeoutMs: 20_000 });
      for (const [what, payload, answered = payload] of payloads) {
        const { Payload: got, FunctionError: failed } = await invoke(name, payload);
        assert.equal(failed, undefined, `${what}: ${got?.transformToString()}`);
        assert.ok(got?.transformToString() === answered, `${what}: ${got?.transformToString().slice(0, 100)}`);
      }
      const ClientContext = Buffer.from('{"custom":{"name":"me"}}').toString('base64');
      const { Payload: got, $metadata } = await invoke(name, '{"do":"context"}', { ClientContext });
      const { id, custom, leftMs } = JSON.parse(got?.transformToString() ?? '') as { id: string; custom: string; leftMs: number };
      assert.deepEqual([id, custom], [$metadata.requestId, 'me']);
      assert.ok(leftMs > 10_000 && leftMs <= 20_000, String(leftMs));
    });

    test('an error is the function’s answer, and the next event is served by the same instance', async () => {
      assert.deepEqual(failureOf(await invoke(name, '{"do":"error"}')), ['Unhandled', 'errorString', 'as asked']);
      const { headers, status } = await under.e2e.call(`/${name}/`);
      assert.deepEqual([status, headers.get('x-swiftlet-start')], [200, 'warm']);
    });

    test('a streamed answer keeps its status and its headers, and comes in pieces to who wants them', async () => {
      const { status, headers, text } = await under.e2e.call(`/${name}/streamed`);
      assert.deepEqual([status, headers.get('x-from'), text], [201, name, 'one two 🐦']);
      const { EventStream: stream } = await lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: name, Payload: '[1]' }));
      let streamed = '';
      for await (const { PayloadChunk: chunk } of stream ?? []) streamed += Buffer.from(chunk?.Payload ?? []).toString();
      assert.equal(streamed, '[1]');
    });

    test('one that exits, or takes too long, is said to; another one takes its place', async () => {
      const [failed, type, message] = failureOf(await invoke(name, '{"do":"exit"}'));
      assert.deepEqual([failed, type], ['Unhandled', 'Runtime.ExitError']);
      assert.match(message ?? '', /exited with code 3/);
      await publish('', { timeoutMs: 500 });
      const timedOut = failureOf(await invoke(name, '{"do":"sleep"}'));
      assert.deepEqual(timedOut.slice(0, 2), ['Unhandled', 'Sandbox.Timedout']);
      assert.match(timedOut[2] ?? '', /Task timed out after 0\.50 seconds/);
      assert.equal((await invoke(name, '1')).Payload?.transformToString(), '1');
    });

    test('one that ends before it asks for an event has failed to initialise', async () => {
      await publish('-init', { environment: { FAIL: 'init' } });
      const [failed, type, message] = failureOf(await invoke(`${name}-init`));
      assert.deepEqual([failed, type], ['Unhandled', 'Runtime.InitError']);
      assert.match(message ?? '', /Runtime\.ExitError: Runtime exited before it could ask for its first event: exit status 7/);
    });
  });
}

test('an SDK makes one of a zip, under Lambda’s name for the runtime', async () => {
  const ZipFile = zip({ name: 'bootstrap', content: bash, mode: 0o100755 });
  const asked = { FunctionName: 'made', Handler: 'bootstrap', Role: 'arn:aws:iam::123456789012:role/r', Code: { ZipFile } };
  const { Runtime: runtime } = await lambda.send(new CreateFunctionCommand({ ...asked, Runtime: 'provided.al2023' }));
  assert.equal(runtime, 'provided.al2023');
  assert.equal((await invoke('made', '{"a":1}')).Payload?.transformToString(), '{"a":1}');
});

test('an init that the runtime says has failed is told with its words', async () => {
  await under.e2e.publish('posted', { bootstrap: bash }, { runtime: 'provided', environment: { FAIL: 'posted' } });
  assert.match(failureOf(await invoke('posted'))[2] ?? '', /Config\.Missing: no table/);
});

test('a bootstrap that cannot be started, or never asks, is said so with what it printed', async () => {
  const never = '#!/bin/sh\necho "still at it"\nsleep 30\n';
  await under.e2e.publish('never', { bootstrap: never }, { runtime: 'provided', initTimeoutMs: 500 });
  const [, type, message] = failureOf(await invoke('never'));
  assert.equal(type, 'Sandbox.Timedout');
  assert.match(message ?? '', /within 500 ms; it did not ask for its first event; .*its last lines:\nstill at it/s);
  const unknown = '#!/no/such/interpreter\n';
  await under.e2e.publish('unknown', { bootstrap: unknown }, { runtime: 'provided' });
  assert.match(failureOf(await invoke('unknown'))[2] ?? '', /Runtime\.InvalidEntrypoint: .*bootstrap needs an interpreter/);
  await assert.rejects(under.e2e.publish('none', { 'index.mjs': '' }, { runtime: 'provided' }), /needs a file \\?"bootstrap\\?"/);
});

test('it finds Lambda’s variables, and no descriptor of the platform’s; its output becomes records', async () => {
  await under.e2e.publish('variables', { bootstrap: bash }, { runtime: 'provided', handler: 'some.handler', environment: { LANG: 'de' } });
  const answer = await under.e2e.call('/variables/variables');
  const said = Buffer.from(answer.text, 'base64').toString();
  for (const line of ['AWS_LAMBDA_FUNCTION_NAME=variables', '_HANDLER=some.handler', 'LAMBDA_TASK_ROOT=/var/task', 'LANG=de', 'TZ=UTC'])
    assert.ok(said.split('\n').includes(line), said);
  assert.match(said, /^AWS_LAMBDA_RUNTIME_API=127\.0\.0\.1:\d+$/m);
  assert.doesNotMatch(said, /AWS_EXECUTION_ENV/);
  assert.match(said, /\n0 1 2 3 $/, 'beside its own three there is the one that lists them');
  const records = await under.e2e.log('never');
  assert.ok(
    records.some(({ message }) => message === 'still at it'),
    JSON.stringify(records),
  );
});
