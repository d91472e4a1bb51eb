/** What goes wrong while a handler runs. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { nodeRuntimeNames } from '../../src/model/runtimes.ts';
import { frame } from '../../src/wire/instance-protocol.ts';
import { RuntimeUnderTest } from './runtime-under-test.ts';

const maxStackCharacters = 16 * 1024;

for (const runtime of nodeRuntimeNames) {
  suite(runtime, { concurrency: 2 }, () => {
    test('what is thrown is told and logged, and the next request is fine', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('errors');
      const thrown: [path: string, type: string, message: string][] = [
        ['throws', 'Teapot', 'short and stout'],
        ['rejects', 'TypeError', 'not a kettle'],
        ['throws-text', 'string', 'just text'],
        ['throws-nothing', 'undefined', 'undefined'],
        ['throws-hostile', 'unknown', 'something was thrown that cannot be read'],
      ];
      for (const [at, [path, type, message]] of thrown.entries()) {
        const { failure, status } = await tested.link.call(`/${path}`, { id: path });
        assert.deepEqual([status, failure?.code, failure?.type, failure?.message], [undefined, 'HandlerError', type, message]);
        await tested.texts(at + 1);
        const [level, , requestId, text] = tested.printed[at] ?? '';
        assert.deepEqual([level, requestId], ['error', path]);
        assert.ok(String(text).includes(message));
      }
      assert.equal((await tested.link.call('/fine')).body.toString(), '"fine"');
    });

    test('a stack says where, and what the cause was', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('errors');
      const { failure } = await tested.link.call('/rejects');
      assert.match(failure?.stack ?? '', /^TypeError: not a kettle\n +at .*errors\.mjs:\d+.*Caused by: Error: no water/s);
    });

    test('a stack has its limit', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('errors');
      assert.equal((await tested.link.call('/deep-stack')).failure?.stack?.length, maxStackCharacters);
    });

    test('an error that is called back', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('errors.callback');
      const { failure } = await tested.link.call('/');
      assert.deepEqual([failure?.type, failure?.message], ['Teapot', 'called back']);
    });

    for (const [path, message] of [
      ['uncaught', 'nobody catches this'],
      ['unhandled', 'nobody handles this'],
    ] as const) {
      test(`an error outside of the handler fails the request and ends the process: ${path}`, async () => {
        await using tested = new RuntimeUnderTest(runtime);
        await tested.init('errors');
        const { failure } = await tested.link.call(`/${path}`);
        assert.deepEqual([failure?.code, failure?.message], ['HandlerError', message]);
        assert.deepEqual(await tested.exited, { code: 1, signal: null });
        assert.match((await tested.texts(2))[0] ?? '', new RegExp(message));
      });
    }

    test('a process that exits loses none of its words', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('errors');
      const stream = tested.link.open('/exits');
      await assert.rejects(tested.link.next(stream, frame.done), /closed/);
      assert.deepEqual(await tested.exited, { code: 7, signal: null });
      assert.deepEqual(await tested.texts(1), ['last words']);
    });

    test('requests that come together are answered together', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('forms/sync', { concurrency: 10 });
      const before = tested.link.chunks;
      const head = (id: string) => JSON.stringify([0, id, Date.now() + 1_000, 'GET', '/', '192.0.2.1', 0, []]);
      tested.link.sendTogether([901, 902, 903].map((stream) => [frame.invoke, stream, head(String(stream))]));
      for (const stream of [901, 902, 903]) assert.equal((await tested.link.answer(stream)).status, 200);
      assert.equal(tested.link.chunks, before + 1);
    });
  });
}
