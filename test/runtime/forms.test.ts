/** Every form that a handler may have, on every version of the runtime. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { nodeRuntimeNames } from '../../src/model/runtimes.ts';
import { invokeKind } from '../../src/wire/instance-protocol.ts';
import { fixtures, RuntimeUnderTest } from './runtime-under-test.ts';

const forms: readonly (readonly [form: string, exportName?: string])[] = [
  ['async', 'handler'],
  ['async'],
  ['sync', 'handler'],
  ['default-export', 'default'],
  ['default-export'],
  ['named', 'run'],
  ['callback', 'handler'],
  ['callback-async'],
  ['callback-twice'],
  ['context-succeed'],
  ['common-function'],
  ['common-method', 'handler'],
  ['compiled'],
  ['detected'],
  ['typed', 'handler'],
  ['typed-module'],
  ['typed-common'],
  ['top-level-await'],
  ['thenable'],
  ['fetch-object'],
  ['fetch-class', 'handler'],
  ['fetch-common'],
  ['streamed'],
];

const folders = [
  ['main', '.'],
  ['exports', '.'],
  ['imports', 'index.handler'],
  ['folder', 'index'],
] as const;

for (const runtime of nodeRuntimeNames) {
  suite(runtime, { concurrency: 2 }, () => {
    for (const [form, exportName] of forms) {
      test(exportName === undefined ? form : `${form}.${exportName}`, async () => {
        await using tested = new RuntimeUnderTest(runtime);
        const report = await tested.init(`forms/${form}${exportName === undefined ? '' : `.${exportName}`}`);
        assert.ok('initMs' in report, JSON.stringify(report));
        const { status, headers, body } = await tested.link.call('/path');
        assert.deepEqual({ status, body: body.toString() }, { status: 200, body: JSON.stringify({ form, path: '/path' }) });
        assert.deepEqual(headers, ['content-type', 'application/json']);
        assert.deepEqual(tested.printed, []);
      });
    }

    for (const [folder, handler] of folders) {
      test(`a bundle that is found by its ${folder}`, async () => {
        await using tested = new RuntimeUnderTest(runtime);
        await tested.init(handler, { codeDir: join(fixtures, 'packages', folder) });
        assert.equal((await tested.link.call('/')).body.toString(), JSON.stringify(folder));
      });
    }

    test('a folder in the bundle is a module', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('packages/main');
      assert.equal((await tested.link.call('/')).body.toString(), '"main"');
    });

    test('an event is the handler’s first argument as it is, and its answer JSON', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('answers');
      const event = { name: 'Ada', list: [1, null] };
      const answer = await tested.link.call('', { kind: invokeKind.event, body: JSON.stringify(event) });
      assert.equal(answer.status, 200);
      assert.deepEqual(JSON.parse(answer.body.toString()), { event });
      const without = await tested.link.call('', { kind: invokeKind.event });
      assert.deepEqual(JSON.parse(without.body.toString()), { event: {} });
    });

    test('the context has what a client of Lambda’s API sent along', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('client-context');
      const told = Buffer.from('{"custom":{"a":1}}').toString('base64');
      const answer = await tested.link.call('', { kind: invokeKind.event, body: '{}', headers: ['x-amz-client-context', told] });
      assert.deepEqual(JSON.parse(answer.body.toString()), { told: { custom: { a: 1 } } });
      const without = await tested.link.call('', { kind: invokeKind.event, body: '{}' });
      assert.deepEqual(JSON.parse(without.body.toString()), { told: null });
      const overHttp = await tested.link.call('/', { headers: ['x-amz-client-context', told] });
      assert.deepEqual(JSON.parse(overHttp.body.toString()), { told: null });
    });

    test('a handler with fetch() refuses events and says what to do', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('forms/fetch-object');
      const { failure } = await tested.link.call('', { kind: invokeKind.event, body: '{}' });
      assert.equal(failure?.code, 'InvalidResponse');
      assert.match(failure.message, /send it a request/);
    });
  });
}
