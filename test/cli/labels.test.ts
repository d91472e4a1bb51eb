/** Labels of a host, as `swiftlet up` takes them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upOptions } from '../../src/cli/up/options.ts';

const labelsOf = (text?: string) =>
  upOptions({ SWIFTLET_HOME: '/tmp/none', ...(text === undefined ? {} : { SWIFTLET_LABELS: text }) }).labels;

test('labels are pairs, joined by commas; none is no label', () => {
  assert.deepEqual(labelsOf('cell=a, region=eu'), { cell: 'a', region: 'eu' });
  assert.deepEqual([labelsOf(), labelsOf('')], [{}, {}]);
});

for (const [text, says] of [
  ['zone=a', /SWIFTLET_LABELS: it is like cell=a,region=eu/],
  ['cell', /cell: a name is/],
  ['cell=A', /cell: a name is/],
  ['cell=a,cell=b', /each at most once/],
] as const)
  test(`labels: "${text}" is refused`, () => assert.throws(() => labelsOf(text), says));
