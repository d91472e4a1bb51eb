/** Custom runtimes in real sandboxes, invoked through Lambda's own API; AWS's own clients have a file of their own. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { CreateFunctionCommand, InvokeCommand, type InvokeCommandOutput, type LambdaClient } from '@aws-sdk/client-lambda';
import { zip } from '../lambda/zip.ts';
import { type LambdaUnderTest, openLambda } from './lambda-under-test.ts';

const programs = new URL('../programs/', import.meta.url);
const bash = readFileSync(new URL('bootstrap.sh', programs), 'utf8');
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

test('an SDK makes one of a zip, under Lambda’s name for the runtime', async () => {
  const ZipFile = zip({ name: 'bootstrap', content: bash, mode: 0o100755 });
  const asked = { FunctionName: 'made', Handler: 'bootstrap', Role: 'arn:aws:iam::123456789012:role/r', Code: { ZipFile } };
  const { Runtime: runtime } = await lambda.send(new CreateFunctionCommand({ ...asked, Runtime: 'provided.al2023' }));
  assert.equal(runtime, 'provided.al2023');
  assert.equal((await invoke('made', '{"a":1}')).Payload?.transformToString(), '{"a":1}');
});

test('the script that the page on custom runtimes has', async () => {
  const page = readFileSync(new URL('../../docs/custom-runtimes.md', import.meta.url), 'utf8');
  const [, script = ''] = /```sh\n(#!\/bin\/bash\n.*?)```/s.exec(page) ?? [];
  await under.e2e.publish('count', { bootstrap: script }, { runtime: 'provided', handler: 'any' });
  assert.equal((await invoke('count', '{"a":1}')).Payload?.transformToString(), '{"got": 7}');
});

test('one that was written for a REST API gets events in payload format 1.0', async () => {
  await under.e2e.publish('rest', { bootstrap: bash }, { runtime: 'provided', payload: '1.0' });
  const sent = { method: 'PUT', body: 'told 🐦', headers: { 'x-own': 'one' } };
  const { version, httpMethod, path, multiValueQueryStringParameters, multiValueHeaders, body } = (
    await under.e2e.call('/rest/items/7?a=1&a=2', sent)
  ).json as Record<string, Record<string, unknown>>;
  assert.deepEqual([version, httpMethod, path, body], ['1.0', 'PUT', '/items/7', 'told 🐦']);
  assert.deepEqual([multiValueQueryStringParameters, multiValueHeaders?.['x-own']], [{ a: ['1', '2'] }, ['one']]);
});

test('a bootstrap that cannot be started, or never asks, is said so with what it printed', async () => {
  const never = '#!/bin/sh\necho "still at it"\nsleep 30\n';
  await under.e2e.publish('never', { bootstrap: never }, { runtime: 'provided', initTimeoutMs: 500 });
  const [, type, message] = failureOf(await invoke('never'));
  assert.equal(type, 'Sandbox.Timedout');
  assert.match(message ?? '', /within 500 ms; it did not ask for its first event; .*its last lines:\nstill at it/s);
  const unknown = '#!/no/such/interpreter\n';
  await under.e2e.publish('unknown', { bootstrap: unknown }, { runtime: 'provided' });
  const [, entrypoint, why] = failureOf(await invoke('unknown'));
  assert.equal(entrypoint, 'Runtime.InvalidEntrypoint');
  assert.match(why ?? '', /bootstrap needs an interpreter/);
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
