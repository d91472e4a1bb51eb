/** What is said of a division that is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitSchema, stickySchema } from '../../src/model/traffic.ts';

const faultOf = (schema: typeof splitSchema | typeof stickySchema, value: unknown): [place: string, what: string] | undefined => {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  return issue && [issue.path.join('.'), issue.message];
};

test('what decides about a version is a header or a cookie', () => {
  const either = ['', 'it is one of { header: NAME } and { cookie: NAME }'];
  assert.deepEqual(faultOf(stickySchema, { header: 'x', cookie: 'y' }), either);
  assert.deepEqual(faultOf(stickySchema, {}), either);
  assert.deepEqual(faultOf(stickySchema, { header: 'X-User' }), ['header', 'a header is named in lower case']);
  assert.equal(faultOf(stickySchema, { cookie: 'Session' }), undefined);
});

const splits: [what: string, weights: number[], place: string, says: RegExp][] = [
  ['too little', [33.3, 33.3, 33.3], '', /the weights are 99.9 per cent together; they have to be 100/],
  ['too much', [60, 60], '', /the weights are 120 per cent together/],
  ['too fine', [50.05, 49.95], '0.weight', /with one decimal at most/],
  ['nothing of it', [0, 100], '0.weight', /from 0.1 to 100/],
];
for (const [what, weights, place, says] of splits)
  test(`weights: ${what}`, () => {
    const fault = faultOf(
      splitSchema,
      weights.map((weight, at) => ({ version: at + 1, weight })),
    );
    assert.equal(fault?.[0], place);
    assert.match(fault[1], says);
  });
