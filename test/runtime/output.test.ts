/** What user code prints, as records. */
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { nodeRuntimeNames } from '../../src/model/runtimes.ts';
import { type PrintedLine, RuntimeUnderTest } from './runtime-under-test.ts';

const levelAndText = (line: PrintedLine): unknown => (typeof line === 'string' ? line : [line[0], line[3]]);

for (const runtime of nodeRuntimeNames) {
  suite(runtime, { concurrency: 2 }, () => {
    test('the console’s methods are levels; one call is one record, whatever is in it', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('prints');
      await tested.link.call('/console', { id: 'id-1' });
      await tested.texts(8);
      const [first, ...rest] = tested.printed;
      assert.deepEqual(first?.slice(2), ['', 'at init']);
      assert.deepEqual([...new Set(rest.map((line) => line[2]))], ['id-1']);
      const [log, info, debug, warn, error, trace, lines] = rest.map(levelAndText) as [
        unknown,
        unknown,
        unknown,
        unknown,
        string[],
        string[],
        unknown,
      ];
      assert.deepEqual(log, ['info', 'log formatted { a: 1 }']);
      assert.deepEqual(
        [info, debug, warn],
        [
          ['info', 'info'],
          ['debug', 'debug'],
          ['warn', 'warn'],
        ],
      ); // prettier-ignore
      assert.match(error.join(' '), /^error Error: shown\n {4}at .*prints\.mjs/);
      assert.match(trace.join(' '), /^trace Trace: here\n {4}at .*prints\.mjs/);
      assert.deepEqual(lines, ['info', 'two\nlines \u2028 and \x1b[31mcolour']);
    });

    test('the streams’ lines are records; one without an end is ended with the request', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('prints');
      await tested.link.call('/streams', { id: 'id-1' });
      await tested.link.call('/split', { id: 'id-2' });
      await tested.texts(7);
      assert.deepEqual(
        tested.printed.slice(1).map((line) => [line[0], line[2], line[3]]),
        [
          ['info', 'id-1', 'one'],
          ['info', 'id-1', 'two'],
          ['info', 'id-1', 'three'],
          ['error', 'id-1', 'problem'],
          ['info', 'id-1', 'unfinished'],
          ['info', 'id-2', 'ü'],
        ],
      );
    });

    test('a record has its limit', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('prints');
      await tested.link.call('/long');
      const [, long = ''] = await tested.texts(2);
      assert.match(long, /^ü+… \(183616 bytes cut\)$/);
    });

    test('several requests at once are told apart', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('together', { concurrency: 10 });
      const names = ['a', 'b', 'c'];
      const answers = await Promise.all(names.map((name) => tested.link.call(`/?count=3&name=${name}`, { id: `id-${name}` })));
      assert.deepEqual(
        answers.map(({ body }) => body.toString()),
        ['"a"', '"b"', '"c"'],
      );
      await tested.texts(3);
      assert.deepEqual(
        tested.printed.map((line) => [line[2], line[3]]).sort(),
        names.map((name) => [`id-${name}`, `from ${name}`]),
      );
    });

    test('a pipe that nobody reads holds up no request for long, and what is lost is told', async () => {
      await using tested = new RuntimeUnderTest(runtime);
      await tested.init('floods');
      tested.stopReading();
      const { body } = await tested.link.call('/flood');
      assert.ok(Number(body.toString()) < 10_000, `${body.toString()} ms`);
      tested.read();
      await tested.texts(100);
      await tested.link.call('/talk');
      const texts = await tested.textsOnce((lines) => lines.includes('somebody reads again'));
      const mark = texts.findIndex((text) => /^… \d+ records were dropped/.test(text));
      assert.ok(mark > 0, texts.at(-1) ?? '');
      const dropped = Number(/\d+/.exec(texts[mark] ?? '')?.[0]);
      assert.deepEqual([mark + dropped, texts[mark + 1]], [2_000, 'somebody reads again']);
      for (const [at, text] of texts.slice(0, mark).entries()) assert.equal(text, `${at} ${'x'.repeat(200)}`);
    });
  });
}
