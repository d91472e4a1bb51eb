/** Filter patterns by tables: the operators of Lambda's event filtering. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterOf, filterPatternSchema } from '../../src/model/filter-pattern.ts';

const record = {
  kind: 'order',
  empty: '',
  nothing: null,
  price: 75,
  isNew: true,
  tags: ['red', 'large'],
  body: { item: { name: 'Lamp', size: 3 }, list: [1, 2] },
};

const wanted: readonly object[] = [
  { kind: ['order'] },
  { kind: ['return', 'order'] },
  { empty: [''] },
  { nothing: [null] },
  { isNew: [true] },
  { price: [75] },
  { price: [{ numeric: ['=', 75] }] },
  { price: [{ numeric: ['>', 70, '<=', 75] }] },
  { price: [{ numeric: ['>=', 75] }] },
  { kind: [{ prefix: 'ord' }] },
  { kind: [{ suffix: 'der' }] },
  { kind: [{ 'equals-ignore-case': 'ORDER' }] },
  { kind: [{ 'anything-but': ['return', 'refund'] }] },
  { kind: [{ 'anything-but': 'return' }] },
  { kind: [{ 'anything-but': { prefix: 'ret' } }] },
  { price: [{ 'anything-but': [1, 2] }] },
  { price: [{ exists: true }] },
  { missing: [{ exists: false }] },
  { body: { item: [{ exists: false }] } },
  { tags: ['large'] },
  { tags: [{ prefix: 'la' }] },
  { body: { item: { name: ['Lamp'], size: [{ numeric: ['<', 4] }] } } },
  { body: { list: [2] } },
  { $or: [{ kind: ['return'] }, { price: [{ numeric: ['>', 10] }] }] },
  { kind: ['order'], $or: [{ price: [1] }, { isNew: [true] }] },
  { body: { item: { $or: [{ size: [9] }, { name: ['Lamp'] }] } } },
];
for (const pattern of wanted)
  test(`wanted: ${JSON.stringify(pattern)}`, () => assert.equal(filterOf([filterPatternSchema.parse(pattern)])(record), true));

const unwanted: readonly object[] = [
  { kind: ['Order'] },
  { kind: ['order'], price: [1] },
  { price: ['75'] },
  { price: [{ numeric: ['>', 75] }] },
  { kind: [{ numeric: ['>', 1] }] },
  { kind: [{ prefix: 'der' }] },
  { kind: [{ 'anything-but': ['order'] }] },
  { kind: [{ 'anything-but': { prefix: 'ord' } }] },
  { missing: [{ 'anything-but': ['x'] }] },
  { missing: [null] },
  { kind: [{ exists: false }] },
  { missing: [{ exists: true }] },
  { kind: { deeper: ['order'] } },
  { body: { item: { name: ['Chair'] } } },
  { $or: [{ kind: ['return'] }, { price: [1] }] },
  { toString: [{ exists: true }] },
  { constructor: { name: ['Object'] } },
];
for (const pattern of unwanted)
  test(`not wanted: ${JSON.stringify(pattern)}`, () => assert.equal(filterOf([filterPatternSchema.parse(pattern)])(record), false));

test('one of several patterns is enough, and without any everything is wanted', () => {
  assert.equal(filterOf([{ kind: ['return'] }, { price: [75] }])(record), true);
  assert.equal(filterOf([{ kind: ['return'] }, { price: [1] }])(record), false);
  assert.equal(filterOf([])(record), true);
});

const refused: readonly (readonly [pattern: unknown, place: string])[] = [
  [[], ''],
  ['text', ''],
  [{}, ''],
  [{ kind: 'order' }, 'kind'],
  [{ kind: [] }, 'kind'],
  [{ body: {} }, 'body'],
  [{ body: { item: [{ prefixx: 'a' }] } }, 'body.item.0'],
  [{ price: [{ numeric: ['>', 10, '<', 5] }] }, 'price.0'],
  [{ price: [{ numeric: ['~', 10] }] }, 'price.0'],
  [{ price: [1, { exists: 'yes' }] }, 'price.1'],
  [{ $or: { kind: ['a'] } }, '$or'],
  [{ $or: [] }, '$or'],
  [{ $or: [{ kind: ['a'] }, { kind: 'a' }] }, '$or.1.kind'],
  [{ kind: ['x'.repeat(5_000)] }, ''],
  [JSON.parse(`${'{"a":'.repeat(40)}["x"]${'}'.repeat(40)}`), Array(17).fill('a').join('.')],
];
for (const [pattern, place] of refused)
  test(`refused, with its place: ${JSON.stringify(pattern).slice(0, 80)}`, () => {
    const parsed = filterPatternSchema.safeParse(pattern);
    assert.equal(parsed.success, false);
    assert.equal(parsed.error.issues[0]?.path.join('.'), place);
  });
