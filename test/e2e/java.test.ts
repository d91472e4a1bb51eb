/** Functions in Java, through HTTP and Lambda's API, in real sandboxes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, test as anyTest } from 'node:test';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { packageFolder } from '../../src/role/package-folder.ts';
import { folderOf } from '../build/folder-of.ts';
import { plainJava, shopJar, shopJava } from '../programs/java-functions.ts';
import { javaTools, missingTools } from '../programs/missing-tools.ts';
import { type E2e, eventually } from './functions.ts';
import { type LambdaUnderTest, openLambda } from './lambda-under-test.ts';
import { needsMemoryLimit, needsRoot } from './needs.ts';

/** For what compiles, and starts JVMs, however busy the machine is. */
const longMs = 60_000;
const usual = { runtime: 'java', memoryMiB: 512, timeoutMs: longMs, initTimeoutMs: longMs } as const;

const missing = missingTools(javaTools);
anyTest('there is a JDK, and Maven', { skip: missing });
const test: typeof anyTest.skip = missing === false ? anyTest : anyTest.skip;

let under: LambdaUnderTest;
let e2e: E2e;
let lambda: LambdaClient;
before(async () => {
  if (missing !== false) return;
  under = await openLambda();
  ({ e2e } = under);
  lambda = under.client(await under.key('--role', 'admin'));
  await e2e.publish('plain', await plainJava(), { ...usual, handler: 'plain.Forms' });
});
after(async () => {
  if (missing === false) await under[Symbol.asyncDispose]();
});

/** What the platform says became of a function's code. */
async function bundleOf(name: string): Promise<unknown> {
  const response = await fetch(`${e2e.platform.apiUrl}/v1/functions/${name}`, {
    headers: { authorization: `Bearer ${e2e.platform.token}` },
  });
  return ((await response.json()) as { bundle?: unknown }).bundle;
}

const order = { method: 'POST', body: '{"id":"🐦","count":2,"notes":["a"]}' };

test('AWS’s own types, with Jackson: its classes come from an archive, cold and warm, with all phases', async () => {
  await e2e.publish('shop', await shopJava(), { ...usual, handler: 'shop.Orders' });
  if (needsRoot === false)
    await eventually(
      () => bundleOf('shop'),
      (state) => JSON.stringify(state) === '{"kind":"bundled"}',
      longMs,
    );
  const { status, headers, text } = await e2e.call('/shop/', order);
  assert.deepEqual([status, text, headers.get('x-method')], [201, order.body, 'POST'], text);
  assert.equal(headers.get('x-swiftlet-start'), 'cold');
  const phases = /^queue;dur=[\d.]+, sandbox;.*, environment;.*, runtime;dur=([\d.]+), init;dur=([\d.]+), handler;/;
  const [, runtime = '', init = ''] = phases.exec(headers.get('server-timing') ?? '') ?? [];
  assert.ok(Number(runtime) > 10 && Number(init) > 1, headers.get('server-timing') ?? '');
  assert.equal((await e2e.call('/shop/', order)).headers.get('x-swiftlet-start'), 'warm');
  const records = await eventually(
    () => e2e.log('shop'),
    (all) => all.some(({ message }) => message === 'order 🐦'),
  );
  assert.deepEqual(
    records.filter(({ level }) => level !== 'report' && level !== 'info'),
    [],
    'nothing of the JVM’s own',
  );
});

test('what was written for a REST API gets events in payload format 1.0, by AWS’s type and as a map', async () => {
  const rest = { ...usual, payload: '1.0', bundle: 'never' } as const;
  await e2e.publish('rest', await shopJava(), { ...rest, handler: 'shop.Rest' });
  const sent = { method: 'PUT', body: 'told 🐦', headers: { 'x-own': 'one' } };
  const { status, headers, text } = await e2e.call('/rest/items/7?a=1&a=2', sent);
  assert.deepEqual([status, headers.get('x-kind')], [203, 'typed'], text);
  assert.equal(text, 'PUT /items/7 [1, 2] 2 one told 🐦 127.0.0.1');
  await e2e.publish('rest-map', await shopJava(), { ...rest, handler: 'shop.Rest::asMap' });
  assert.equal((await e2e.call('/rest-map/items', sent)).text, '1.0 PUT /items');
});

test('a jar beside its libraries; the interfaces of AWS, and what its context knows', async () => {
  await e2e.publish('jar', await shopJar(), { ...usual, handler: 'shop.Batch::handleRequest' });
  const event = {
    Records: [
      { messageId: '1', body: 'fail', eventSourceARN: 'arn:queue' },
      { messageId: '2', body: 'fine' },
    ],
  };
  const { Payload: failed } = await lambda.send(new InvokeCommand({ FunctionName: 'jar', Payload: JSON.stringify(event) }));
  assert.deepEqual(JSON.parse(failed?.transformToString() ?? ''), { batchItemFailures: [{ itemIdentifier: '1' }] });
  await e2e.publish('jar', await shopJar(), { ...usual, handler: 'shop.Echo', bundle: 'never' });
  const ClientContext = Buffer.from('{"custom":{"name":"me"},"client":{"app_title":"till"}}').toString('base64');
  const answer = await lambda.send(new InvokeCommand({ FunctionName: 'jar', Payload: '1', ClientContext }));
  const { requestId = '' } = answer.$metadata;
  assert.equal(JSON.parse(answer.Payload?.transformToString() ?? ''), `${requestId} jar 2 512 me till  true`);
  await eventually(
    () => e2e.log('jar'),
    (all) => all.some(({ level, message }) => level === 'error' && message === 'with a client'),
  );
});

test('what is thrown is told with its type, its place and its cause; the instance goes on', async () => {
  assert.equal((await e2e.call('/plain/')).text, '1');
  const { status, json, text } = await e2e.call('/plain/raise');
  assert.deepEqual([status, json['code']], [502, 'HandlerError'], text);
  assert.ok(!text.includes('secret detail'));
  const { FunctionError, Payload: payload } = await lambda.send(new InvokeCommand({ FunctionName: 'plain', Payload: '"/raise"' }));
  const said = JSON.parse(payload?.transformToString() ?? '') as Record<string, unknown>;
  assert.deepEqual(
    [FunctionError, said['errorType'], said['errorMessage']],
    ['Unhandled', 'java.lang.IllegalStateException', 'secret detail'],
  );
  const frames = said['stackTrace'] as string[];
  assert.deepEqual(
    frames.map((frame) => frame.split('(')[0]),
    ['plain.Forms.raise', 'plain.Forms.handler'],
  );
  assert.equal((said['cause'] as Record<string, unknown>)['errorType'], 'java.io.IOException');
  assert.equal((await e2e.call('/plain/')).text, '4');
  const records = await eventually(
    () => e2e.log('plain'),
    (all) => all.some(({ message }) => message === 'served 4'),
  );
  assert.ok(records.some(({ level, message }) => level === 'error' && message === 'in error'));
  assert.ok(
    records.some(
      ({ level, message }) => level === 'error' && /secret detail[^]*Caused by: java\.io\.IOException: the cause/.test(String(message)),
    ),
  );
});

test('one that exits is said to', async () => {
  const { status, json } = await e2e.call('/plain/exit');
  assert.deepEqual([status, json['code']], [502, 'FunctionCrashed']);
});

test('one whose heap is full: 502 OutOfMemory, and the next request is served', { skip: needsMemoryLimit }, async () => {
  const { status, json, text } = await e2e.call('/plain/bomb');
  assert.deepEqual([status, json['code']], [502, 'OutOfMemory'], text);
  assert.equal((await e2e.call('/plain/')).text, '1');
});

test('one that spins, or does not come to an end of its init, is ended; frozen it is thawed', { skip: needsRoot }, async () => {
  await e2e.publish('plain', await plainJava(), {
    ...usual,
    handler: 'plain.Forms',
    freezeMs: 50,
    timeoutMs: 3_000,
    environment: { A: 'b' },
  });
  assert.equal((await e2e.call('/plain/')).text, '1');
  await eventually(
    () => e2e.platform.api.instances('plain'),
    (all) => all.length === 1 && all[0]?.state === 'frozen',
    longMs,
  );
  const thawed = await e2e.call('/plain/');
  assert.deepEqual([thawed.text, thawed.headers.get('x-swiftlet-start')], ['2', 'thawed']);
  const { status, json } = await e2e.call('/plain/spin');
  assert.deepEqual([status, json['code']], [504, 'Timeout']);
  await e2e.publish('plain', await plainJava(), { ...usual, handler: 'plain.Forms', process: 'one-shot', environment: { A: 'c' } });
  assert.deepEqual([(await e2e.call('/plain/')).text, (await e2e.call('/plain/')).text], ['1', '1']);
});

const failures: [what: string, handler: string, config: object, status: number, code: string, detail: RegExp][] = [
  ['throws', 'plain.Forms', { environment: { INIT: 'throw' } }, 502, 'InitError', /IllegalStateException/],
  ['exits', 'plain.Forms', { environment: { INIT: 'exit' } }, 502, 'InitError', /Runtime\.ExitError/],
  ['spins', 'plain.Forms', { environment: { INIT: 'spin' }, initTimeoutMs: 1_000 }, 504, 'InitTimeout', /1000 ms/],
  ['has no such method', 'plain.Forms::none', {}, 422, 'HandlerNotFound', /HandlerNotFound|no public method none/],
];
for (const [what, handler, config, status, code, detail] of failures) {
  test(`an init that ${what}: ${status} ${code}`, async () => {
    await e2e.publish('fails', await plainJava(), { ...usual, handler, bundle: 'never', ...config });
    const answer = await e2e.call('/fails/');
    assert.deepEqual([answer.status, answer.json['code']], [status, code], answer.text);
    assert.match(answer.text, detail);
  });
}

test('swiftlet init makes a function in Java, whose sources a deploy compiles', async () => {
  await using folder = await folderOf({}, 'greet');
  const env = { ...process.env, SWIFTLET_HOME: e2e.platform.home, SWIFTLET_API_URL: e2e.platform.apiUrl, NO_COLOR: '1' };
  const cli = (...args: string[]) =>
    spawnSync(process.execPath, [join(packageFolder, 'src', 'cli', 'main.ts'), ...args], { env, encoding: 'utf8' });
  for (const words of [
    ['init', folder.path, '--template', 'java'],
    ['deploy', folder.path],
  ]) {
    const { status, stderr } = cli(...words);
    assert.equal(status, 0, stderr);
  }
  assert.deepEqual((await e2e.call('/greet/?name=Ada')).json, { message: 'Hello, Ada!', version: '1' });
});

test('a class that is not there is refused when it is deployed, with what there is', async () => {
  await assert.rejects(
    e2e.publish('missing', await plainJava(), { ...usual, handler: 'plain.Other' }),
    /needs a file \\?"plain\/Other\.class\\?", or a jar that has it; the bundle has plain\/Forms\.class/,
  );
  await assert.rejects(e2e.publish('missing', await plainJava(), { ...usual, handler: 'plain/Forms.x' }), /a handler in Java is/);
});
