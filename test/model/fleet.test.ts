/** Several agents: which of them run a function, and what each has of what is limited for all together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentsFor, partOf } from '../../src/model/fleet.ts';
import { groupsSchema } from '../../src/model/groups.ts';
import { divideTarget } from '../../src/scaling/divide-target.ts';

const keys = ['default/a', 'default/b', 'shop/orders', 'x/y'];

test('the parts of a whole add up to it, differ by one at most, and grow with it', () => {
  for (const agents of [[0], [0, 1], [1, 3, 4], [0, 1, 2, 3, 4, 5, 6, 7]])
    for (const key of keys) {
      let before = agents.map(() => 0);
      for (let whole = 0; whole < 30; whole++) {
        const parts = agents.map((agent) => partOf(whole, agents, agent, key));
        assert.equal(
          parts.reduce((sum, part) => sum + part, 0),
          whole,
        );
        assert.ok(Math.max(...parts) - Math.min(...parts) <= 1);
        assert.ok(
          parts.every((part, at) => part >= (before[at] ?? 0)),
          `${key}: ${String(parts)} after ${String(before)}`,
        );
        before = parts;
      }
    }
  assert.equal(partOf(10, [1, 2], 0, 'a'), 0);
});

test('functions that may have one instance are not all at the same agent', () => {
  let first = 0;
  for (let at = 0; at < 1_000; at++) first += partOf(1, [0, 1], 0, `default/f${at}`);
  assert.ok(first > 400 && first < 600, String(first));
});

test('a function is for the agents of its groups; one of a private network for the one that has its tunnels', () => {
  const labels = [{ cell: 'a' }, { cell: 'b' }, { cell: 'a', region: 'eu' }];
  assert.deepEqual(agentsFor({}, labels), [0, 1, 2]);
  assert.deepEqual(agentsFor({ groups: groupsSchema.parse({ only: { cell: ['a'] } }) }, labels), [0, 2]);
  assert.deepEqual(agentsFor({ network: { private: ['office'] } }, labels), [0]);
  assert.deepEqual(agentsFor({ groups: groupsSchema.parse({ only: { cell: ['b'] } }), network: { private: ['office'] } }, labels), []);
});

for (const [target, running, most, expected] of [
  [0, [2, 1], [5, 5], [0, 0]],
  [5, [5, 0], [5, 5], [5, 0]],
  [7, [5, 0], [5, 5], [5, 2]],
  [3, [5, 0], [5, 5], [3, 0]],
  [4, [3, 3], [5, 5], [2, 2]],
  [6, [9, 0], [5, 5], [5, 1]],
  [20, [0, 0], [5, 4], [5, 4]],
  [3, [0, 0, 0], [0, 5, 5], [0, 2, 1]],
] as const)
  test(`${target} instances where ${String(running)} run and ${String(most)} may: ${String(expected)}`, () => {
    const shares = running.map((there, at) => ({ running: there, most: most[at] ?? 0 }));
    assert.deepEqual(divideTarget(target, shares), expected);
  });
