import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, FrameDecoder, maxPayloadBytes } from '../../src/wire/frames.ts';

function decodeAll(chunks: Buffer[]): [number, number, string][] {
  const frames: [number, number, string][] = [];
  const decoder = new FrameDecoder((type, stream, payload) => frames.push([type, stream, payload.toString()]));
  for (const chunk of chunks) decoder.push(chunk);
  return frames;
}

const sent = Buffer.concat([encodeFrame(1, 7, 'hello'), encodeFrame(2, 0xffff_ffff), encodeFrame(3, 9, 'ü'.repeat(1000))]);
const expected = [
  [1, 7, 'hello'],
  [2, 0xffff_ffff, ''],
  [3, 9, 'ü'.repeat(1000)],
];

for (const size of [1, 2, 3, 8, 9, 10, 13, 100, sent.length]) {
  test(`frames survive being cut into pieces of ${size} bytes`, () => {
    const chunks = Array.from({ length: Math.ceil(sent.length / size) }, (_, at) => sent.subarray(at * size, (at + 1) * size));
    assert.deepEqual(decodeAll(chunks), expected);
  });
}

test('a frame over the limit is refused before it is held', () => {
  const header = encodeFrame(1, 1);
  header.writeUInt32BE(maxPayloadBytes + 1, 0);
  assert.throws(() => decodeAll([header]), RangeError);
});
