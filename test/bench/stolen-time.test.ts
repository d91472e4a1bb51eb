import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseProcessorTimes, stolenNote, stolenShare } from '../../bench/stolen-time.ts';

const stat = 'cpu  100 10 50 1000 5 1 4 20 0 0\ncpu0 50 5 25 500 2 1 2 10 0 0\n';

test('the first line is read: all processors together, without what they idled', () => {
  assert.deepEqual(parseProcessorTimes(stat), { used: 165, stolen: 20 });
});

test('what others had is a share of what was wanted', () => {
  assert.equal(stolenShare({ used: 100, stolen: 10 }, { used: 190, stolen: 20 }), 0.1);
  assert.equal(stolenShare({ used: 100, stolen: 10 }, { used: 100, stolen: 10 }), 0);
});

test('it is said beside the figures, unless nobody knows', () => {
  const before = { used: 0, stolen: 0 };
  assert.deepEqual(stolenNote(before, { used: 88, stolen: 12 }), [
    '12.0 % of the processor time that was wanted went to other machines of the host',
  ]);
  assert.deepEqual(stolenNote(before, undefined), []);
});
