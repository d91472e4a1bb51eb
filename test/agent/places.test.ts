import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayStart, whoYields } from '../../src/agent/places.ts';

const taken = (counts: Record<string, number>) => new Map(Object.entries(counts));

const starts: [what: string, tenant: string, capacity: number, counts: Record<string, number>, others: string[], may: boolean][] = [
  ['a lone tenant has all places', 'a', 4, { a: 3 }, ['a'], true],
  ['a full host is the host’s to tell', 'b', 4, { a: 4 }, ['a', 'b'], true],
  ['the last one is another’s', 'a', 4, { a: 3 }, ['a', 'b'], false],
  ['who has one already keeps no place free', 'a', 4, { a: 2, b: 1 }, ['a', 'b'], true],
  ['on a small host one place for all others', 'a', 16, { a: 14 }, ['a', 'b', 'c', 'd'], true],
  ['on a large one as many as there are', 'a', 96, { a: 94 }, ['a', 'b', 'c'], false],
  ['and no more than its part', 'a', 96, { a: 92 }, ['a', 'b', 'c', 'd', 'e', 'f'], true],
];
for (const [what, tenant, capacity, counts, tenants, may] of starts) {
  test(`who may start: ${what}`, () => {
    assert.equal(mayStart(tenant, { capacity, taken: taken(counts), tenants }), may);
  });
}

test('who has most gives one up for a tenant’s first; nobody his only one, and nobody for a second', () => {
  assert.equal(whoYields('c', { taken: taken({ a: 2, b: 5 }) }), 'b');
  assert.equal(whoYields('c', { taken: taken({ a: 1, b: 1 }) }), undefined);
  assert.equal(whoYields('a', { taken: taken({ a: 1, b: 5 }) }), undefined);
});
