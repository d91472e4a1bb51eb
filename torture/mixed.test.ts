/** No case of one request's answer reaching another's caller in a million mixed invocations; `npm run torture -- mixed 20000` is a short one. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Key, type LambdaUnderTest, openLambda } from '../test/e2e/lambda-under-test.ts';
import { askMixed } from '../test/e2e/mixed-callers.ts';
import { publishMixed, publishSwapping } from '../test/e2e/mixed-functions.ts';

const count = Number(process.env['SWIFTLET_TORTURE_COUNT'] ?? 1_000_000);
const atOnce = 32;
/** As many as that are none of the functions' errors, of those that hang up and of those that are ended with a neighbour that was too late. */
const leastRight = 0.85;
let under: LambdaUnderTest;
let key: Key;
before(async () => {
  under = await openLambda();
  key = await under.key('--role', 'admin');
});
after(() => under[Symbol.asyncDispose]());

test('answers that are another’s on purpose are found', async (t) => {
  const { gatewayUrl, lambdaUrl } = under.e2e.platform;
  const functions = await publishSwapping(under.e2e);
  const { verdicts } = await askMixed({ gatewayUrl, lambdaUrl, key, functions, count: 1_000, atOnce: 8 });
  assert.ok(verdicts.swapped > 500, JSON.stringify(verdicts));
  t.diagnostic(`${verdicts.swapped} of 1,000 found`);
});

test('no answer reaches another’s caller', async (t) => {
  const { gatewayUrl, lambdaUrl } = under.e2e.platform;
  const functions = await publishMixed(under.e2e);
  const startedAt = performance.now();
  const { verdicts, rightBy, examples, hungUp } = await askMixed({ gatewayUrl, lambdaUrl, key, functions, count, atOnce });
  const perSecond = Math.round(count / ((performance.now() - startedAt) / 1_000));
  t.diagnostic(
    `${count.toLocaleString('en')} invocations, ${atOnce} at once, ${perSecond} a second: ${verdicts.right} right, ${verdicts.failed} failed or hung up (${hungUp}), ${verdicts.wrong} wrong, ${verdicts.swapped} swapped`,
  );
  t.diagnostic([...rightBy].map(([way, right]) => `${way}: ${right}`).join(', '));
  assert.deepEqual([verdicts.swapped, verdicts.wrong, examples], [0, 0, []]);
  assert.ok(verdicts.right >= leastRight * count, `${verdicts.right} of ${count} were right`);
});
