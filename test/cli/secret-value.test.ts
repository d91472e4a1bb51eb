import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { readValue } from '../../src/cli/secret-value.ts';
import { tempFolder } from '../control/temp-folder.ts';

const input = (...chunks: (string | Buffer)[]) => Readable.from(chunks);

test('a value comes from standard input, in however many pieces; one line’s end at its end is nobody’s', async () => {
  assert.equal(await readValue({}, input('correct ', 'horse\n')), 'correct horse');
  assert.equal(await readValue({}, input('two lines\r\nof it\r\n')), 'two lines\r\nof it');
  assert.equal(await readValue({ exact: true }, input('correct horse\n')), 'correct horse\n');
  const umlaut = Buffer.from('schlüssel');
  assert.equal(await readValue({}, input(umlaut.subarray(0, 5), umlaut.subarray(5))), 'schlüssel');
});

test('or from a file', async (t) => {
  const path = join(tempFolder(t), 'value');
  writeFileSync(path, 'correct horse\n');
  assert.equal(await readValue({ file: path }, input()), 'correct horse');
  await assert.rejects(readValue({ file: `${path}.not` }, input()), { code: 'NotFound' });
});

test('what is none is refused with the remedy, and not shown', async () => {
  const wrong: [Readable, RegExp][] = [
    [input(''), /at least 8 bytes/],
    [input('x'.repeat(20_000)), /at most 16384 bytes/],
    [input(Buffer.from([0xff, 0xfe, 1, 2, 3, 4, 5, 6, 7, 8])), /Base64/],
    [input('a\0b\0c\0d\0e\0'), /Base64/],
    [Object.assign(input(), { isTTY: true }), /standard input or from --file/],
  ];
  for (const [from, says] of wrong) await assert.rejects(readValue({}, from), { message: says });
});

test('no more is read than could be a value', async () => {
  let read = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        read += 1024;
        yield 'x'.repeat(1024);
      }
    })(),
  );
  await assert.rejects(readValue({}, endless), { message: /at most/ });
  assert.ok(read < 1024 * 1024);
});
