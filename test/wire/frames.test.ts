import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, FrameDecoder, headerBytes, joinFrames, maxPayloadBytes } from '../../src/wire/frames.ts';

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

for (const size of [1, 8, 9, 10, 100, 1_000, sent.length]) {
  test(`memory that is used again, in reads of ${size} bytes: payloads are right, and those asked for come in pieces`, () => {
    const payloads = new Map<number, Buffer[]>();
    const lent = Buffer.alloc(size);
    const decoder = new FrameDecoder(
      (_type, stream, payload) => void payloads.set(stream, [...(payloads.get(stream) ?? []), Buffer.from(payload)]),
      { isLent: true, inPieces: (type) => type === 3 },
    );
    for (let at = 0; at < sent.length; at += size) {
      const length = sent.copy(lent, 0, at);
      decoder.push(lent.subarray(0, length));
      lent.fill(0);
    }
    const whole = [...payloads].map(([stream, pieces]) => [stream, Buffer.concat(pieces).toString()]);
    assert.deepEqual(
      whole,
      expected.map(([, stream, text]) => [stream, text]),
    );
    assert.deepEqual([payloads.get(7)?.length, (payloads.get(9)?.length ?? 0) > 1], [1, size < 2_000]);
  });
}

test('a frame over the limit is refused before it is held', () => {
  const header = encodeFrame(1, 1);
  header.writeUInt32BE(maxPayloadBytes + 1, 0);
  assert.throws(() => decodeAll([header]), RangeError);
});

test('frames that lie one after another are joined without a copy, others with one', () => {
  const frames = [encodeFrame(1, 1, 'a'), encodeFrame(2, 2, 'ü'), encodeFrame(3, 3, Buffer.from('c'))];
  const bytes = frames.reduce((sum, { length }) => sum + length, 0);
  assert.deepEqual(joinFrames(frames, bytes), Buffer.concat(frames));
  const [first, , last] = frames;
  assert.ok(first !== undefined && last !== undefined);
  assert.deepEqual(joinFrames([first, last], first.length + last.length), Buffer.concat([first, last]));
});

test('many small frames, and large ones, are what was written', () => {
  for (let size = 0; size < 20_000; size += 97) {
    const payload = Buffer.alloc(size, size % 251);
    const encoded = encodeFrame(5, size, payload);
    assert.equal(encoded.readUInt32BE(0), size);
    assert.deepEqual(encoded.subarray(headerBytes), payload);
  }
});
