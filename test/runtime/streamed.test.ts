/** AWS Lambda's streamed answers. */
import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { nodeRuntimeNames } from '../../src/model/runtimes.ts';
import { RuntimeUnderTest } from './runtime-under-test.ts';

const binary = ['content-type', 'application/octet-stream'];

for (const runtime of nodeRuntimeNames) {
  suite(runtime, () => {
    const tested = new RuntimeUnderTest(runtime);
    const ready = tested.init('streams');
    after(() => tested[Symbol.asyncDispose]());

    test('status, headers and cookies may be said first', async () => {
      await ready;
      const { status, headers, body } = await tested.link.call('/prelude');
      assert.deepEqual([status, headers, body.toString()], [202, ['x-a', 'b', ...binary, 'set-cookie', 'c=1'], 'one two']);
    });

    test('a stream that is left open is ended with the handler', async () => {
      await ready;
      const { status, headers, body } = await tested.link.call('/forgets');
      assert.deepEqual([status, headers, body.toString()], [200, binary, 'not ended']);
    });

    test('what is written faster than it is taken waits', async () => {
      await ready;
      assert.equal((await tested.link.call('/large')).body.length, 1_000_000);
    });

    test('an answer that breaks off is no whole answer', async () => {
      await ready;
      const { status, body, done, failure } = await tested.link.call('/throws');
      assert.deepEqual([status, body.toString(), done], [200, 'half', undefined]);
      assert.equal(failure?.message, 'the other half is missing');
    });
  });
}
