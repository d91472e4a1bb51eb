/** What a terminal gets to see. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showsColours } from '../../src/cli/colours.ts';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { usageError } from '../../src/cli/failure.ts';
import { linesOf } from '../../src/cli/lines.ts';
import { printable } from '../../src/cli/printable.ts';
import type { ErrorCode } from '../../src/model/errors.ts';

const colourRows: readonly [isTTY: boolean | undefined, environment: NodeJS.ProcessEnv, shown: boolean][] = [
  [true, {}, true],
  [undefined, {}, false],
  [undefined, { CI: 'true' }, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
  [undefined, { FORCE_COLOR: '1' }, true],
  [true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
];
for (const [isTTY, environment, shown] of colourRows) {
  test(`colours ${isTTY === true ? 'on a terminal' : 'in a pipe'} with ${JSON.stringify(environment)}: ${shown}`, () => {
    assert.equal(showsColours(isTTY === undefined ? {} : { isTTY }, environment), shown);
  });
}

const codeRows: readonly [code: ErrorCode, exit: number][] = [
  ['HandlerError', 1],
  ['Timeout', 1],
  ['Internal', 1],
  ['Unauthorized', 1],
  ['StorageFull', 1],
  ['BadRequest', 2],
  ['ManifestInvalid', 2],
  ['BundleRejected', 2],
  ['NotFound', 3],
  ['FunctionNotFound', 3],
  ['Unavailable', 4],
];
for (const [code, exit] of codeRows) test(`${code} ends with ${exit}`, () => assert.equal(exitCodeOf(code), exit));

test('printable keeps text, lines and tabs, and shows the rest', () => {
  assert.equal(printable('a\tb\nc é 日本 🙂'), 'a\tb\nc é 日本 🙂');
  assert.equal(printable('\u0000\u001b[1m\r\u007f\u009b\u2028'), '\\u0000\\e[1m\\r\\u007f\\u009b\\u2028');
});

test('what commander suggests is part of the sentence', () => {
  const message = "error: unknown command 'x'\n(Did you mean one of list, logs?)";
  assert.equal(usageError({ code: 'commander.unknownCommand', message }).message, 'unknown command \'x\'; did you mean "list" or "logs"?');
});

test('lines end at a line feed only, wherever the chunks are cut', async () => {
  const text = 'a\u2028b\rc\n\n{"x":"é🙂"}\nlast';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 3, bytes.length]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
    assert.deepEqual(await Array.fromAsync(linesOf(ReadableStream.from(chunks) as ReadableStream<Uint8Array>)), text.split('\n'));
  }
});
