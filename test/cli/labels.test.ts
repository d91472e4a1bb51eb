/** Labels of a host's agents, as `swiftlet up` takes them, and how many agents there may be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { upOptions } from '../../src/cli/up/options.ts';

const optionsOf = (variables: object) => upOptions({ SWIFTLET_HOME: '/tmp/none', ...variables });
const labelsOf = (text?: string) => optionsOf(text === undefined ? {} : { SWIFTLET_LABELS: text }).labels;

test('labels are pairs, joined by commas; none is no label', () => {
  assert.deepEqual(labelsOf('cell=a, region=eu'), [{ cell: 'a', region: 'eu' }]);
  assert.deepEqual([labelsOf(), labelsOf('')], [[{}], [{}]]);
  const { labels, agents } = optionsOf({ SWIFTLET_LABELS: 'cell=a; cell=b ;', SWIFTLET_AGENTS: '3' });
  assert.deepEqual([labels, agents], [[{ cell: 'a' }, { cell: 'b' }, {}], 3]);
});

for (const [text, says] of [
  ['zone=a', /SWIFTLET_LABELS: it is like cell=a,region=eu/],
  ['cell', /cell: a name is/],
  ['cell=a.b', /cell: a name is/],
  ['cell=a,cell=b', /each at most once/],
] as const)
  test(`labels: "${text}" is refused`, () => assert.throws(() => labelsOf(text), says));

for (const [variables, says] of [
  [{ SWIFTLET_LABELS: 'cell=a; cell=b' }, /SWIFTLET_LABELS: there are labels for 2 agents and 1 of them/],
  [{ SWIFTLET_LABELS: 'cell=a; cell=b', SWIFTLET_AGENTS: '3' }, /labels for 2 agents and 3 of them/],
  [{ SWIFTLET_AGENTS: '0' }, /SWIFTLET_AGENTS/],
  [{ SWIFTLET_AGENTS: '9' }, /SWIFTLET_AGENTS/],
] as const)
  test(`agents: ${JSON.stringify(variables)} is refused`, () => assert.throws(() => optionsOf(variables), says));
