/** Secrets in the runtime: where code finds them, and where nobody does. */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { suite, test } from 'node:test';
import { nodeRuntimeNames } from '../../src/model/runtimes.ts';
import type { InitSecret } from '../../src/wire/instance-protocol.ts';
import { RuntimeUnderTest } from './runtime-under-test.ts';

const password = `pass"word'\\ü&${'7f3a'.repeat(4)}`;
const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n-----END KEY-----';
const secrets: InitSecret[] = [
  { variable: 'PASSWORD', as: 'environment', value: password },
  { variable: 'KEY_FILE', as: 'file', value: key },
];
/** Parts that show a secret however it is written. */
const traces = ['7f3a', 'N2YzYQ', 'ZjNhN2', 'M2E3Zj', Buffer.from('7f3a').toString('hex'), 'MIIEvQ', 'BKcwgg'];

function assertNone(texts: readonly unknown[]): void {
  for (const text of texts)
    for (const trace of traces) assert.ok(!JSON.stringify(text).includes(trace), `${trace} is in ${JSON.stringify(text)}`);
}

for (const runtime of nodeRuntimeNames) {
  suite(runtime, { concurrency: 2 }, () => {
    test('code finds them: a variable, and a file that nobody else can read', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('secrets', { secrets, environment: { OTHER: 'x' } });
      const { body } = await tested.link.call('/found');
      assert.deepEqual(JSON.parse(body.toString()), { password, key });
    });

    test('they are masked in what code prints, in whatever way', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('secrets', { secrets });
      assert.equal((await tested.link.call('/prints')).body.toString(), '"printed"');
      const texts = await tested.textsOnce(
        (all) => all.some((text) => text.includes('ended')) && all.some((text) => text.includes('deep')),
      );
      assertNone(texts);
      assert.ok(texts.includes('it is ***') && texts.includes('begun *** ended'), texts.join('\n'));
      assert.ok(texts.some((text) => /PASSWORD: .\*\*\*/.test(text)));
    });

    test('they are masked in what is thrown: the message, the stack, the cause', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('secrets', { secrets });
      for (const path of ['throws', 'throws-text', 'throws-long']) {
        const { failure } = await tested.link.call(`/${path}`);
        assertNone([failure]);
        assert.match(failure?.message ?? '', /\*/);
      }
      assertNone(await tested.texts(3));
    });

    test('they are masked in the last words of a process that crashes', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('secrets', { secrets });
      const { failure } = await tested.link.call('/crashes');
      assert.match(failure?.message ?? '', /late: \*\*\*/);
      await tested.exited;
      assertNone([failure, ...(await tested.texts(1))]);
    });
  });
}

test('a process that is given none masks nothing', async () => {
  await using tested = new RuntimeUnderTest('nodejs26');
  await tested.init('secrets', { environment: { PASSWORD: password } });
  assert.match((await tested.link.call('/throws')).failure?.message ?? '', /7f3a/);
});

test('the file is its owner’s to read and nobody’s to change', async () => {
  await using tested = new RuntimeUnderTest('nodejs26');
  await tested.init('secrets', { secrets });
  const { body } = await tested.link.call('/where');
  const { path } = JSON.parse(body.toString()) as { path: string };
  assert.equal(statSync(path).mode & 0o777, 0o400);
});
