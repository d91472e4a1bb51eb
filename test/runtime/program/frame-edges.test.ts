/** Where the frames of a server end, however its bytes are cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

interface Edges {
  readonly isAtEdge: boolean;
  take(chunk: Buffer): number | undefined;
}
const { FrameEdges } = (await import(new URL('../../../runtimes/program/frame-edges.mjs', import.meta.url).href)) as {
  FrameEdges: new () => Edges;
};

function frameOf(length: number): Buffer {
  const head = length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 0xff] : [127, 0, 0, 0, 0, 0, length >> 16, 0, 0];
  return Buffer.concat([Buffer.from([0x82, ...head]), Buffer.alloc(length, 0x88)]);
}

const lengths = [0, 5, 125, 126, 300, 65_535, 65_536, 0, 1];
const frames = lengths.map(frameOf);
const whole = Buffer.concat(frames);
let end = 0;
const ends = frames.map(({ length }) => (end += length));

for (const size of [1, 2, 3, 7, 1_000, whole.length])
  test(`in pieces of ${size}`, () => {
    const edges = new FrameEdges();
    assert.ok(edges.isAtEdge);
    for (let at = 0; at < whole.length; at += size) {
      const chunk = whole.subarray(at, at + size);
      const first = ends.find((one) => one > at && one <= at + chunk.length);
      assert.equal(edges.take(chunk), first === undefined ? undefined : first - at, `at ${at}`);
      assert.equal(edges.isAtEdge, ends.includes(at + chunk.length), `after ${at + chunk.length}`);
    }
  });
