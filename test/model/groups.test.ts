/** Which hosts a request may be placed on, by its groups. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupsSchema, isPublishedTo, type Labels, labelsText, onlyText, placesFor } from '../../src/model/groups.ts';

const host = (name: string, labels: Labels) => ({ name, labels });
const fleet = [
  host('a1', { cell: 'a', region: 'eu' }),
  host('a2', { cell: 'a', region: 'eu' }),
  host('b1', { cell: 'b', region: 'us' }),
  host('try', { cell: 'a', region: 'eu', lane: 'blue' }),
  host('bare', {}),
];
const all = ['a1', 'a2', 'b1', 'try', 'bare'];
const main = ['a1', 'a2', 'b1', 'bare'];

const cases: [what: string, groups: object, wanted: Labels, places: string[]][] = [
  ['published to all, for none: all', { by: { cell: { header: 'x' } } }, {}, all],
  ['for a cell: its hosts, and no other', { by: { cell: { header: 'x' } } }, { cell: 'b' }, ['b1']],
  ['for a cell and a region: hosts of both', { by: { cell: { header: 'x' } } }, { cell: 'a', region: 'eu' }, ['a1', 'a2', 'try']],
  ['for what no host has: any but those of a lane', { by: { cell: { header: 'x' } } }, { cell: 'c' }, main],
  ['for what no host has both of: any but those of a lane', { by: { cell: { header: 'x' } } }, { cell: 'a', region: 'us' }, main],
  ['for what no host has, by rule: none', { by: { cell: { header: 'x' } }, missing: 'refuse' }, { cell: 'c' }, []],
  ['in a lane: its hosts', { by: { lane: { header: 'x' } } }, { lane: 'blue' }, ['try']],
  ['in a lane without hosts: the main one', { by: { lane: { header: 'x' } } }, { lane: 'red' }, main],
  ['published to a cell: its hosts', { only: { cell: ['a'] } }, {}, ['a1', 'a2', 'try']],
  ['published to a cell, for another: its own hosts, but for the lane’s', { only: { cell: ['a'] } }, { cell: 'b' }, ['a1', 'a2']],
  ['published to a cell, for another, by rule: none', { only: { cell: ['a'] }, missing: 'refuse' }, { cell: 'b' }, []],
  ['published to cells and a region: hosts of both', { only: { cell: ['a', 'b'], region: ['us'] } }, {}, ['b1']],
  ['published where there is no host: none, whatever the rule', { only: { cell: ['z'] } }, {}, []],
  ['published to a lane’s hosts only, for none: they', { only: { lane: ['blue'] } }, {}, ['try']],
];
for (const [what, groups, wanted, places] of cases)
  test(what, () => {
    assert.deepEqual(
      placesFor(fleet, groupsSchema.parse(groups), wanted).map(({ name }) => name),
      places,
    );
  });

test('without groups a function is everywhere', () => assert.ok(isPublishedTo(undefined, {})));

test('groups in words', () => {
  assert.equal(labelsText({ region: 'eu', cell: 'a' }), 'cell a, region eu');
  assert.equal(onlyText({ only: { cell: ['a', 'b'], region: ['eu'] } }), 'cell a or b, region eu');
  assert.deepEqual([labelsText({}), onlyText({ only: {} })], ['', '']);
});

const faults: [what: string, groups: object, place: string, says: RegExp][] = [
  ['nothing', {}, '', /it has only, by, or both/],
  ['no group', { only: { cell: [] } }, 'only.cell', /one group at least/],
  ['a group twice', { only: { cell: ['a', 'a'] } }, 'only.cell', /named twice/],
  ['a name that is none', { only: { region: ['e u'] } }, 'only.region.0', /a name is/],
  ['another kind', { only: { zone: ['a'] } }, 'only', /zone/],
  ['a header and a cookie', { by: { cell: { header: 'x', cookie: 'y' } } }, 'by.cell', /one of header and cookie/],
  ['neither', { by: { cell: {} } }, 'by.cell', /one of header and cookie/],
  ['another rule', { by: { cell: { header: 'x' } }, missing: 'main' }, 'missing', /any/],
];
for (const [what, groups, place, says] of faults)
  test(`groups: ${what} is refused with its place`, () => {
    const [issue] = groupsSchema.safeParse(groups).error?.issues ?? [];
    assert.equal(issue?.path.join('.'), place);
    assert.match(issue.message, says);
  });
