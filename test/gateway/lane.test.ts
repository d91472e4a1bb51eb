/** Which lane a request is in, and where that leads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canBeLane, inLane, saidLane } from '../../src/gateway/routing/lane.ts';
import { SwiftletError } from '../../src/model/errors.ts';
import type { LanesConfig } from '../../src/model/lanes.ts';

const byHeader: LanesConfig = { by: { header: 'x-lane' }, missing: 'main' };
const byCookie: LanesConfig = { by: { cookie: 'lane' }, missing: 'main' };

test('a header or a cookie says it; nothing, and the main one, are no lane', () => {
  assert.equal(saidLane(byHeader, { 'x-lane': 'blue' }), 'blue');
  assert.equal(saidLane(byCookie, { cookie: 'a=1; lane=blue' }), 'blue');
  for (const lane of ['', 'live']) assert.equal(saidLane(byHeader, { 'x-lane': lane }), undefined);
  assert.equal(saidLane(byHeader, {}), undefined);
});

test('what can be no alias is no lane that goes further', () => {
  assert.ok(canBeLane('blue'));
  for (const lane of ['../x', 'bl ue', 'a'.repeat(65), 'blue\r\nx: y']) assert.ok(!canBeLane(lane), lane);
});

const way = { key: 'default/f', name: 'f' };
const blue = { key: 'default/f:blue', name: 'f:blue' };
const strict: LanesConfig = { ...byHeader, missing: 'refuse' };
const cases: [what: string, lanes: LanesConfig | undefined, lane: string | undefined, goes: object | string][] = [
  ['its own version', byHeader, 'blue', blue],
  ['the main one, where there is none', byHeader, 'red', way],
  ['nowhere, by rule', strict, 'red', 'AliasNotFound'],
  ['the main one, without a lane', strict, undefined, way],
  ['the main one of a function without lanes', undefined, 'blue', way],
];
for (const [what, lanes, lane, goes] of cases)
  test(`a request in a lane goes to ${what}`, () => {
    const led = inLane(way, lanes, lane, (key) => key === blue.key);
    if (led instanceof SwiftletError) assert.equal(led.code, goes);
    else assert.deepEqual(led, goes);
  });

test('whoever names an alias means it', () => {
  const named = { key: 'default/f:beta', name: 'f:beta' };
  assert.equal(
    inLane(named, strict, 'red', () => false),
    named,
  );
});
