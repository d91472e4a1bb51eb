/** No answer reaches another's caller: a short one of `npm run torture -- mixed`, and what it would find. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Key, type LambdaUnderTest, openLambda } from './lambda-under-test.ts';
import { askMixed, judge } from './mixed-callers.ts';
import { publishMixed, publishSwapping } from './mixed-functions.ts';

let under: LambdaUnderTest;
let key: Key;
before(async () => {
  under = await openLambda();
  key = await under.key('--role', 'admin');
});
after(() => under[Symbol.asyncDispose]());

const asked = { token: 'tok-a-1;', times: 2, do: 'echo' } as const;
const whole = { status: 200, head: 'x-token\ntok-a-1;', text: 'tok-a-1; tok-a-1;', isWhole: true };
for (const [what, heard, verdict] of [
  ['its own', whole, 'right'],
  ['another’s', { ...whole, text: 'tok-a-2; tok-a-2;' }, 'swapped'],
  ['a piece of another’s', { ...whole, text: 'tok-a-1; tok-a-2;' }, 'swapped'],
  ['another’s head', { ...whole, head: 'x-token\ntok-a-2;' }, 'swapped'],
  ['another’s failure', { ...whole, status: 502, text: 'asked by tok-a-2;' }, 'swapped'],
  ['a part', { ...whole, text: 'tok-a-1;' }, 'wrong'],
  ['a part, and then the connection breaks', { ...whole, text: 'tok-a-1;', isWhole: false }, 'failed'],
  ['its failure', { ...whole, status: 502, text: 'asked by tok-a-1;' }, 'failed'],
  ['nothing', undefined, 'failed'],
] as const)
  test(`${what}: ${verdict}`, () => {
    assert.equal(judge(asked, heard, false), verdict);
  });

test('answers for others are found', async () => {
  const { gatewayUrl, lambdaUrl } = under.e2e.platform;
  const functions = await publishSwapping(under.e2e);
  const { verdicts } = await askMixed({ gatewayUrl, lambdaUrl, key, functions, count: 100, atOnce: 4 });
  assert.ok(verdicts.swapped > 50, JSON.stringify(verdicts));
});

test('every caller gets its own answer', async () => {
  const { gatewayUrl, lambdaUrl } = under.e2e.platform;
  const functions = await publishMixed(under.e2e);
  const { verdicts, rightBy, examples } = await askMixed({ gatewayUrl, lambdaUrl, key, functions, count: 600, atOnce: 16 });
  assert.deepEqual([verdicts.swapped, verdicts.wrong, examples], [0, 0, []]);
  assert.equal(rightBy.size, 11, [...rightBy.keys()].join(', '));
});
