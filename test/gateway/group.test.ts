/** What a request says of its groups, and whether this host is one of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agentsOfGroup, wantedGroups } from '../../src/gateway/routing/group.ts';
import { partsOf, pickPart } from '../../src/gateway/instances/version-parts.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import { groupsSchema } from '../../src/model/groups.ts';

const groups = (value: object) => groupsSchema.parse(value);

test('a header or a cookie says it; what says nothing is for any', () => {
  const config = groups({ by: { cell: { header: 'x-cell' }, region: { cookie: 'region' } } });
  const wanted = (headers: Record<string, string>) => wantedGroups(config, headers, 'default/f');
  assert.deepEqual(wanted({ 'x-cell': 'a', cookie: 'region=eu' }), { cell: 'a', region: 'eu' });
  assert.deepEqual([wanted({}), wanted({ 'x-cell': '' })], [{}, {}]);
});

test('a rule divides callers among groups: each stays in his, and each group gets its share', () => {
  const config = groups({ by: { cell: { header: 'x-user', among: ['a', 'b', 'c'] } } });
  const cellOf = (user: string) => wantedGroups(config, { 'x-user': user }, 'default/f').cell ?? assert.fail();
  const counts = new Map<string, number>();
  for (let user = 0; user < 9_000; user++) {
    const cell = cellOf(`user-${user}`);
    assert.equal(cellOf(`user-${user}`), cell);
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  assert.deepEqual([...counts.keys()].toSorted(), ['a', 'b', 'c']);
  // Five standard deviations of a binomial of 9,000 and a third, and the third part of a thousand points.
  for (const count of counts.values()) assert.ok(Math.abs(count - 3_000) < 5 * 45 + 9, `${count} of 9,000`);
});

test('a request that is for another host is told so, with what this one is', () => {
  const of = (config: object, labels: object, headers = {}) => {
    const found = agentsOfGroup('f', groups(config), [{ labels }], headers, 'default/f');
    return found instanceof SwiftletError ? found : undefined;
  };
  const only = { only: { cell: ['a', 'b'] } };
  assert.equal(of(only, { cell: 'a' }), undefined);
  assert.match(of(only, { cell: 'c' })?.message ?? '', /function "f" is published to cell a or b, and this host is of cell c/);
  assert.match(of(only, {})?.message ?? '', /this host has no labels/);
  const strict = { by: { cell: { header: 'x-cell' } }, missing: 'refuse' };
  assert.equal(of(strict, { cell: 'a' }, { 'x-cell': 'a' }), undefined);
  assert.equal(of(strict, { cell: 'a' }), undefined);
  const refused = of(strict, { cell: 'a' }, { 'x-cell': 'b' });
  assert.deepEqual([refused?.code, /another cell, and this host is of cell a/.test(refused?.message ?? '')], ['GroupElsewhere', true]);
  assert.equal(of({ ...strict, missing: 'any' }, { cell: 'a' }, { 'x-cell': 'b' }), undefined);
});

const agents = [{ cell: 'a' }, { cell: 'b', region: 'eu' }, { cell: 'a' }, {}].map((labels, number) => ({ number, labels }));

test('of several agents those of its group may have a request, and of none that is here it is said which are', () => {
  const of = (config: object, headers: Record<string, string> = {}) => {
    const found = agentsOfGroup('f', groups(config), agents, headers, 'default/f');
    return found instanceof SwiftletError ? found.message : found.map(({ number }) => number);
  };
  const by = { by: { cell: { header: 'x-cell' } } };
  assert.deepEqual([of(by, { 'x-cell': 'a' }), of(by, { 'x-cell': 'b' }), of(by)], [[0, 2], [1], [0, 1, 2, 3]]);
  assert.deepEqual(of({ ...by, only: { cell: ['a'] } }, { 'x-cell': 'b' }), [0, 2]);
  assert.match(
    String(of({ ...by, missing: 'refuse' }, { 'x-cell': 'c' })),
    /another cell, and this platform's agents are of cell a; of cell b, region eu; of none/,
  );
  assert.match(String(of({ only: { cell: ['c'] } })), /published to cell c, and this platform's agents are of cell a;/);
});

test('what is divided by groups has a part for each kind of agents; a request that several may have goes where an instance is free', () => {
  assert.deepEqual(partsOf(undefined, agents), [[0, 1, 2, 3]]);
  assert.deepEqual(partsOf(groups({ only: { cell: ['a'] } }), agents), [[0, 1, 2, 3]]);
  assert.deepEqual(partsOf(groups({ by: { cell: { header: 'x' } } }), agents), [[0, 2], [1], [3]]);
  const part = (of: number[], free: number, waiting: number) => ({ agents: of, free: { length: free }, waiting });
  const parts = [part([0, 2], 0, 3), part([1], 1, 0), part([3], 0, 0)];
  const pick = (allowed: number[], chance = 0) => parts.indexOf(pickPart(parts, new Set(allowed), () => chance) ?? assert.fail());
  assert.deepEqual([pick([2]), pick([0, 1, 2, 3]), pick([0, 1, 2, 3], 0.9), pick([0, 3]), pick([0, 2, 3], 0.9)], [0, 1, 1, 2, 2]);
  assert.equal(
    pickPart(parts, new Set(), () => 0),
    undefined,
  );
});
