/** A runtime's life: booted, told once whose code it is to run, and what goes wrong on the way there. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeRuntimeNames } from '../../src/model/runtimes.ts';
import { frame } from '../../src/wire/instance-protocol.ts';
import { fixtures, RuntimeUnderTest } from './runtime-under-test.ts';

const heldMs = 200;

for (const runtime of nodeRuntimeNames) {
  suite(runtime, { concurrency: 2 }, () => {
    test('it tells its state and its version, from boot on', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      const booted = await tested.state();
      assert.deepEqual({ protocol: booted.protocol, state: booted.state }, { protocol: 1, state: 'booted' });
      assert.match(booted.runtime, new RegExp(`^v${runtime.slice('nodejs'.length)}\\.`));
      await tested.init('forms/sync.handler');
      assert.equal((await tested.state()).state, 'initialised');
    });

    test('an init that comes before anything was loaded is served', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      assert.ok('initMs' in (await tested.init('forms/sync.handler')));
      const { status } = await tested.link.call('/early');
      assert.equal(status, 200);
    });

    test('the report of an init has the times of its parts', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      const report = await tested.init('forms/top-level-await');
      assert.ok('initMs' in report && report.initMs >= 1 && report.environmentMs > 0 && report.runtimeMs > 0, JSON.stringify(report));
    });

    test('it is initialised once; a second init harms nothing', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('forms/sync.handler');
      const second = await tested.init('forms/async.handler');
      assert.ok('code' in second && second.code === 'InitError', JSON.stringify(second));
      assert.match(second.message, /initialised/);
      assert.equal((await tested.link.call('/')).body.toString(), '{"form":"sync","path":"/"}');
    });

    test('what is sent ahead begins with the init, said before; its time counts from then', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.state();
      const gateway = tested.connect();
      const deadline = Date.now() + 1_000;
      const stream = gateway.open('/ahead', { deadline, body: 'whole' });
      gateway.sendBody(stream, Buffer.from('whole'));
      // What came before its answer is there.
      await tested.state(gateway);
      await delay(heldMs);
      await tested.init('remaining.handler');
      await gateway.next(0, frame.begun);
      const { body } = await gateway.answer(stream);
      const { remainingMs, sent } = JSON.parse(body.toString()) as { remainingMs: number; sent: string };
      assert.equal(sent, 'whole');
      assert.ok(remainingMs > 1_000 - heldMs, `${remainingMs} ms are left of 1,000`);
    });

    test('what is sent ahead and cancelled never begins', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      const stream = tested.link.open('/cancelled');
      tested.link.send(frame.cancel, stream);
      assert.equal((await tested.link.answer(stream)).status, undefined);
      await tested.init('forms/sync.handler');
      assert.equal((await tested.link.call('/next')).body.toString(), '{"form":"sync","path":"/next"}');
    });

    test('code before it is said whose it is, or twice, is refused', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      tested.link.send(frame.load, 0, fixtures);
      await tested.link.next(0, frame.initFailed);
      await tested.init('forms/sync.handler');
      tested.link.send(frame.load, 0, fixtures);
      await tested.link.next(0, frame.initFailed);
      assert.equal((await tested.link.call('/')).status, 200);
    });

    test('several gateways may speak to it, and one may go', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('forms/sync.handler');
      const other = tested.connect();
      assert.equal((await other.call('/other')).status, 200);
      other.close();
      assert.equal((await tested.link.call('/still')).status, 200);
    });

    test('a gateway that breaks the protocol loses its connection, nobody else does', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('forms/sync.handler');
      const rude = tested.connect();
      const lost = assert.rejects(rude.next(1, frame.done), /closed/);
      rude.send(frame.invoke, 1, 'no JSON');
      await lost;
      assert.equal((await tested.link.call('/')).status, 200);
    });

    const failing: [handler: string, code: string, message: RegExp, type?: string][] = [
      ['init-throws.handler', 'InitError', /not today/, 'RangeError'],
      ['init-imports-missing.handler', 'InitError', /Cannot find package 'no-such-package'/],
      ['init-rejects-later.handler', 'InitError', /while it was initialised/],
      ['missing.handler', 'HandlerNotFound', /needs a file missing\{\.mjs,\.js,.*\}; the bundle has answers\.mjs, /],
      ['packages/nothing.handler', 'HandlerNotFound', /nothing\.mjs exports "helper", "other"; it must export "handler" as a function/],
      ['packages/server.handler', 'HandlerNotFound', /is a server .*deploy it with "runtime: http"/],
      ['packages/nothing', 'HandlerNotFound', /it must export "handler" or "default" or "main_handler" as a function/],
    ];
    for (const [handler, code, message, type] of failing) {
      test(`an init that fails says why: ${handler}`, async () => {
        await using tested = new RuntimeUnderTest(runtime);
        const failure = await tested.init(handler);
        assert.ok('code' in failure, JSON.stringify(failure));
        assert.equal(failure.code, code);
        assert.match(failure.message, message);
        if (type !== undefined) assert.equal(failure.type, type);
        assert.match((await tested.texts(1))[0] ?? '', message);
      });
    }

    test('a handler outside of the bundle is not found', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      const failure = await tested.init('../nothing.helper', { codeDir: join(fixtures, 'packages', 'main') });
      assert.ok('code' in failure && failure.code === 'HandlerNotFound', JSON.stringify(failure));
    });

    test('code that cannot be parsed fails the init', async () => {
      const codeDir = mkdtempSync(join(tmpdir(), 'swiftlet-code-'));
      writeFileSync(join(codeDir, 'index.mjs'), 'export const handler = () => {');
      await using tested = new RuntimeUnderTest(runtime);
      const failure = await tested.init('index', { codeDir });
      rmSync(codeDir, { recursive: true });
      assert.ok('code' in failure && failure.code === 'InitError' && failure.type === 'SyntaxError', JSON.stringify(failure));
    });

    test('the environment is the function’s, with the names that code from AWS Lambda knows, and nothing of the platform’s', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('answers', { environment: { MARK: 'mine', NODE_ENV: 'test' } });
      const { environment, folder } = JSON.parse((await tested.link.call('/context')).body.toString()) as {
        environment: Record<string, string>;
        folder: string;
      };
      assert.equal(folder, fixtures);
      assert.deepEqual(Object.keys(environment).sort(), [
        'AWS_DEFAULT_REGION',
        'AWS_EXECUTION_ENV',
        'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
        'AWS_LAMBDA_FUNCTION_NAME',
        'AWS_LAMBDA_FUNCTION_VERSION',
        'AWS_LAMBDA_INITIALIZATION_TYPE',
        'AWS_LAMBDA_LOG_GROUP_NAME',
        'AWS_LAMBDA_LOG_STREAM_NAME',
        'AWS_REGION',
        'HOME',
        'LAMBDA_TASK_ROOT',
        'MARK',
        'NODE_ENV',
        'PATH',
        'TMPDIR',
        '_HANDLER',
      ]);
      assert.deepEqual([environment['MARK'], environment['NODE_ENV']], ['mine', 'test']);
    });

    test('what user code replaces does not change what the runtime says', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      assert.ok('initMs' in (await tested.init('hostile')));
      const { status, body } = await tested.link.call('/');
      assert.deepEqual([status, body.toString()], [200, 'still here']);
    });
  });
}

test('what is to be ready beyond the usual is loaded, and does not show', async () => {
  await using tested = new RuntimeUnderTest('nodejs26', ['fetch', 'typescript', 'unheard-of']);
  await tested.state();
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.ok('initMs' in (await tested.init('forms/typed')));
  assert.deepEqual(tested.printed, []);
});
