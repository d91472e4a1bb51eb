import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PartJoiner, partsOf } from '../../src/events/journal-parts.ts';

const joined = (parts: readonly Uint8Array[], joiner = new PartJoiner()) =>
  parts.flatMap((part) => joiner.add(part) ?? []).map((changes) => Buffer.from(changes).toString());

test('a transaction of any size comes back as it was', () => {
  for (const length of [0, 1, 8, 9, 10, 17, 18, 100]) {
    const changes = Buffer.from('x'.repeat(length));
    const parts = partsOf(changes, 10);
    assert.ok(parts.every((part) => part.length <= 10) && parts.length >= Math.ceil(length / 9));
    assert.deepEqual(joined(parts), [changes.toString()]);
  }
});

test('what a writer that died left half is dropped, and nothing else', () => {
  const whole = partsOf(Buffer.from('whole'), 4);
  const half = partsOf(Buffer.from('half of it'), 4).slice(0, -1);
  const joiner = new PartJoiner();
  assert.deepEqual(joined([...half, ...whole, ...half], joiner), ['whole']);
  assert.deepEqual(joined(whole, joiner), ['whole']);
  // A tail without its beginning, as a stream that was cut would have.
  assert.deepEqual(joined([...half.slice(1), ...partsOf(Buffer.from('x'), 4)]), ['x']);
});
