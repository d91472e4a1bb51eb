/** AWS Lambda's Extensions API and Telemetry API, as an extension asks them, inside the runtime that starts programs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import { frame, invokeKind } from '../../../src/wire/instance-protocol.ts';
import { folder, type ApiAnswer, ProgramUnderTest, RuntimeApiUnderTest } from './program-under-test.ts';

const event = { kind: invokeKind.event };
const idHeader = 'Lambda-Extension-Identifier';
const errorTypeOf = ({ status, text: body }: ApiAnswer) => [status, (JSON.parse(body) as { errorType?: string }).errorType];
const jsonOf = ({ text: body }: ApiAnswer) => JSON.parse(body) as Record<string, unknown>;

/** An extension whose part the test plays. */
class ExtensionUnderTest {
  readonly #tested: RuntimeApiUnderTest;
  id = '';

  constructor(tested: RuntimeApiUnderTest) {
    this.#tested = tested;
  }

  async register(name: string, body = '{"events":["INVOKE"]}', headers: Record<string, string> = {}): Promise<ApiAnswer> {
    const answer = await this.#tested.at('/2020-01-01/extension/register', {
      headers: { 'Lambda-Extension-Name': name, ...headers },
      body,
    });
    this.id = String(answer.headers['lambda-extension-identifier'] ?? '');
    return answer;
  }

  next(): Promise<ApiAnswer> {
    return this.#tested.at('/2020-01-01/extension/event/next', { method: 'GET', headers: { [idHeader]: this.id } });
  }

  post(path: string, body: object, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    return this.#tested.at(`/2020-01-01/extension/${path}`, { headers: { [idHeader]: this.id, ...headers }, body: JSON.stringify(body) });
  }

  subscribe(body: object): Promise<ApiAnswer> {
    return this.#tested.at('/2022-07-01/telemetry', { method: 'PUT', headers: { [idHeader]: this.id }, body: JSON.stringify(body) });
  }
}

/** One whose init may still be under way when the test is over. */
async function begin(tested: RuntimeApiUnderTest, request: Parameters<RuntimeApiUnderTest['begin']>[0] = {}): Promise<void> {
  const { initialised } = await tested.begin(request);
  initialised.catch(() => undefined);
}

/** What a subscriber was sent, as it comes. */
async function openSubscriber() {
  const got: { readonly type: string; readonly record: unknown }[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      got.push(...(JSON.parse(body) as typeof got));
      response.end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = server.address() as AddressInfo;
  return {
    got,
    port,
    [Symbol.dispose]() {
      server.close().closeAllConnections();
    },
  };
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, 'it did not come to pass within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

suite('the Extensions API', { concurrency: 3 }, () => {
  test('one registers, is told of each invocation, and the next one waits for it', async () => {
    await using tested = new RuntimeApiUnderTest();
    const { initialised } = await tested.begin();
    const extension = new ExtensionUnderTest(tested);
    const registered = await extension.register('watcher', undefined, { 'Lambda-Extension-Accept-Feature': 'accountId' });
    assert.deepEqual(
      [registered.status, jsonOf(registered)],
      [200, { functionName: 'tested', functionVersion: '3', handler: 'some.handler', accountId: '000000000000' }],
    );
    assert.match(extension.id, /^[0-9a-f-]{36}$/);
    const first = tested.next();
    let told = extension.next();
    assert.ok('initMs' in (await initialised), 'both have asked');
    const answer = tested.link.call('/', { ...event, id: 'id-1', body: '1', deadline: 2_000_000_000_000, headers: [] });
    assert.equal((await first).text, '1');
    const { status, headers, text: body } = await told;
    const said = JSON.parse(body) as { tracing: { value: string } };
    assert.equal(status, 200);
    assert.match(String(headers['lambda-extension-event-identifier']), /^[0-9a-f-]{36}$/);
    assert.deepEqual(said, {
      eventType: 'INVOKE',
      deadlineMs: 2_000_000_000_000,
      requestId: 'id-1',
      invokedFunctionArn: 'arn:swiftlet:functions:local:default:function:tested',
      tracing: { type: 'X-Amzn-Trace-Id', value: (await first).headers['lambda-runtime-trace-id'] },
    });
    assert.equal((await tested.ask('invocation/id-1/response', { body: '"one"' })).status, 202);
    assert.equal((await answer).body.toString(), '"one"', 'the caller does not wait for extensions');
    const second = tested.next();
    let isThere = false;
    void second.then(() => (isThere = true));
    const late = tested.link.call('/', { ...event, id: 'id-2', body: '2' });
    assert.equal((await tested.ask('invocation/elsewhere/response', { body: '' })).status, 400);
    assert.equal(isThere, false, 'the extension has not asked for its next event');
    told = extension.next();
    assert.equal((await second).text, '2');
    assert.equal(jsonOf(await told)['requestId'], 'id-2');
    await tested.ask('invocation/id-2/response', { body: '"two"' });
    assert.equal((await late).body.toString(), '"two"');
  });

  test('what is asked out of turn, or without what belongs to it, is refused with AWS’s words', async () => {
    await using tested = new RuntimeApiUnderTest();
    await begin(tested);
    const one = new ExtensionUnderTest(tested);
    const other = new ExtensionUnderTest(tested);
    assert.deepEqual(errorTypeOf(await one.next()), [403, 'Extension.MissingExtensionIdentifier']);
    one.id = 'no-uuid';
    assert.deepEqual(errorTypeOf(await one.next()), [403, 'Extension.InvalidExtensionIdentifier']);
    one.id = 'd85a8a2e-0d4a-4b53-a0f4-3b2fbf0c1a6e';
    assert.deepEqual(errorTypeOf(await one.next()), [403, 'Extension.UnknownExtensionIdentifier']);
    assert.deepEqual(errorTypeOf(await one.register('')), [403, 'Extension.InvalidExtensionName']);
    assert.deepEqual(errorTypeOf(await one.register('x'.repeat(129))), [403, 'Extension.InvalidExtensionName']);
    for (const body of ['no JSON', '', '{"events":"INVOKE"}'])
      assert.deepEqual(errorTypeOf(await one.register('one', body)), [403, 'InvalidRequestFormat'], body);
    for (const body of ['{"events":["SLEEP"]}', '{"events":["SHUTDOWN"]}'])
      assert.deepEqual(errorTypeOf(await one.register('one', body)), [403, 'Extension.InvalidEventType'], body);
    assert.equal((await one.register('one')).status, 200);
    assert.deepEqual(errorTypeOf(await other.register('one')), [403, 'Extension.InvalidExtensionState']);
    assert.deepEqual(errorTypeOf(await one.post('init/error', {})), [403, 'Extension.MissingHeader']);
    for (let at = 2; at <= 10; at += 1) assert.equal((await other.register(`another-${at}`)).status, 200);
    assert.deepEqual(errorTypeOf(await other.register('eleventh')), [403, 'Extension.TooManyExtensions']);
    void tested.next().catch(() => undefined);
    // It is there once the next request is answered.
    assert.equal((await tested.ask('invocation/elsewhere/response', { body: '' })).status, 400);
    assert.deepEqual(errorTypeOf(await other.register('late')), [403, 'Extension.RegistrationClosed']);
  });

  test('one that says it failed fails the init', async () => {
    await using tested = new RuntimeApiUnderTest();
    const { initialised } = await tested.begin();
    const extension = new ExtensionUnderTest(tested);
    await extension.register('watcher');
    void tested.next().catch(() => undefined);
    const body = { errorMessage: 'no key', errorType: 'ConfigInvalid' };
    const posted = await extension.post('init/error', body, { 'Lambda-Extension-Function-Error-Type': 'Extension.ConfigInvalid' });
    assert.deepEqual([posted.status, jsonOf(posted)], [202, { status: 'OK' }]);
    const failure = await initialised;
    assert.ok('code' in failure);
    assert.deepEqual([failure.code, failure.type, failure.message], ['InitError', 'ConfigInvalid', 'no key']);
  });

  test('where several invocations run at once nobody is told of them', async () => {
    await using tested = new RuntimeApiUnderTest();
    await begin(tested, { concurrency: 2 });
    assert.deepEqual(errorTypeOf(await new ExtensionUnderTest(tested).register('one')), [403, 'Extension.InvalidEventType']);
  });
});

const programs = new URL('../../programs/', import.meta.url);
const bootstrap = readFileSync(new URL('bootstrap.sh', programs), 'utf8');
const watcher = readFileSync(new URL('extension.mjs', programs), 'utf8');
const environment = { PATH: process.env['PATH'] ?? '', LISTEN_ON: '127.0.0.1', TMPDIR: folder };
const initTimeoutMs = 30_000;
const told = (tested: ProgramUnderTest) =>
  tested.printed.map((line) => (typeof line === 'string' ? line : line[3])).filter((text) => text.startsWith('told '));

test('a program’s memory counts as the function’s, and what it has started', async () => {
  const holds = `#!/bin/sh
exec node -e '
const { execFile } = require("node:child_process");
const held = Buffer.alloc(64 * 1024 * 1024, 1);
execFile(process.execPath, ["-e", "const held = Buffer.alloc(64 << 20, 1); console.log(held.length); setTimeout(() => held, 60_000)"]).stdout.once("data", ask);
async function ask() {
  const api = "http://" + process.env.AWS_LAMBDA_RUNTIME_API + "/2018-06-01/runtime/invocation/";
  for (;;) {
    const event = await fetch(api + "next");
    await fetch(api + event.headers.get("lambda-runtime-aws-request-id") + "/response", { method: "POST", body: String(held.length) });
  }
}'
`;
  await using tested = new ProgramUnderTest({ bootstrap: holds });
  const report = await tested.start('provided', 'some.handler', { environment, initTimeoutMs: 30_000 });
  assert.ok('initMs' in report, JSON.stringify(report));
  const { done } = await tested.link.call('/', { ...event, id: 'id-1', body: '1' });
  assert.ok((done?.residentKiB ?? 0) > 2 * 64 * 1024 + 50 * 1024, String(done?.residentKiB));
});

suite('extensions that are programs', { concurrency: 3 }, () => {
  test('one is told when the instance is to end, and the instance ends when it has ended', async () => {
    await using tested = new ProgramUnderTest({ bootstrap, 'extensions/watcher': watcher });
    const report = await tested.start('provided', 'some.handler', { environment, initTimeoutMs });
    assert.ok('initMs' in report, JSON.stringify(report));
    assert.equal(report.farewellMs, 2_000);
    assert.equal((await tested.link.call('/', { ...event, id: 'id-1', body: '1' })).body.toString(), '1');
    await until(() => told(tested).includes('told INVOKE id-1'));
    tested.link.send(frame.end, 0, 'TIMEOUT');
    await tested.exited;
    await until(() => told(tested).includes('told SHUTDOWN TIMEOUT'));
  });

  test('one is told when the program has ended; the caller learns of that end', async () => {
    await using tested = new ProgramUnderTest({ bootstrap, 'extensions/watcher': watcher });
    await tested.start('provided', 'some.handler', { environment, initTimeoutMs });
    tested.link.call('/', { ...event, id: 'id-1', body: '{"do":"exit"}' }).catch(() => undefined);
    assert.equal((await tested.exited).code, 3);
    await until(() => told(tested).includes('told SHUTDOWN FAILURE'));
  });

  test('one that ends before it registers fails the init with its name and what it printed', async () => {
    const broken = '#!/bin/sh\necho "no licence"\nexit 4\n';
    await using tested = new ProgramUnderTest({ bootstrap, 'extensions/broken': broken });
    const failure = await tested.start('provided', 'some.handler', { initTimeoutMs });
    assert.ok('code' in failure);
    assert.deepEqual([failure.type, failure.message], ['Extension.Crash', 'extension broken ended: exit status 4; no licence']);
  });
});

suite('the Telemetry API', { concurrency: 3 }, () => {
  test('a subscriber gets the platform’s events and what the program prints', async () => {
    using subscriber = await openSubscriber();
    await using tested = new RuntimeApiUnderTest();
    const { initialised } = await tested.begin();
    const extension = new ExtensionUnderTest(tested);
    await extension.register('listener');
    const subscribed = await extension.subscribe({
      schemaVersion: '2022-12-13',
      types: ['platform', 'function'],
      buffering: { timeoutMs: 25 },
      destination: { protocol: 'HTTP', URI: `http://sandbox.localdomain:${subscriber.port}/some/path` },
    });
    assert.deepEqual([subscribed.status, subscribed.text], [200, '"OK"']);
    const first = tested.next();
    let told = extension.next();
    await initialised;
    const answer = tested.link.call('/', { ...event, id: 'id-1', body: '1' });
    await first;
    await told;
    await tested.ask('invocation/id-1/response', { body: '"one"' });
    await answer;
    told = extension.next();
    void told.catch(() => undefined);
    await until(() => subscriber.got.some(({ type }) => type === 'platform.report'));
    const types = ['initStart', 'extension', 'telemetrySubscription', 'initRuntimeDone', 'initReport', 'start', 'runtimeDone', 'report'];
    assert.deepEqual(
      subscriber.got.map(({ type }) => type).filter((type) => type !== 'function'),
      types.map((type) => `platform.${type}`),
    );
    const done = subscriber.got.find(({ type }) => type === 'platform.runtimeDone')?.record as Record<string, unknown>;
    assert.deepEqual([done['requestId'], done['status']], ['id-1', 'success']);
    void tested.next().catch(() => undefined);
  });

  test('a subscription that cannot be served is refused with all that is wrong with it', async () => {
    await using tested = new RuntimeApiUnderTest();
    await begin(tested);
    const extension = new ExtensionUnderTest(tested);
    await extension.register('listener');
    const refused = await extension.subscribe({
      schemaVersion: '1',
      types: [],
      buffering: { maxItems: 1 },
      destination: { protocol: 'HTTP' },
    });
    assert.deepEqual(errorTypeOf(refused), [400, 'ValidationError']);
    assert.match(
      String(jsonOf(refused)['errorMessage']),
      /schemaVersion.*types should not be empty.*maxItems.*URI host should be sandbox\.localdomain/,
    );
    const elsewhere = { protocol: 'HTTP', URI: 'http://example.org:80' };
    const outside = await extension.subscribe({ schemaVersion: '2022-12-13', types: ['platform'], destination: elsewhere });
    assert.deepEqual(errorTypeOf(outside), [400, 'ValidationError']);
  });
});
