/** What an outcome means for each message of its batch, by tables. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '../../../src/events/decide.ts';
import { textAsId } from '../../../src/events/item-failures.ts';
import { type AttemptPolicy, type Verdict, verdictsOf } from '../../../src/events/sources/verdict.ts';
import { waitingOf } from './messages.ts';

const policy: AttemptPolicy = { attempts: 3, backoffMs: 100, order: 'none' };
const nowMs = 10_000;
const answered = (answer: unknown, isTruncated = false): Outcome => ({
  kind: 'answered',
  result: { status: 200, body: typeof answer === 'string' ? answer : JSON.stringify(answer), encoding: 'utf8', isTruncated },
});
const failures = (...ids: unknown[]): Outcome => answered({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) });
const error = { code: 'HandlerError', message: 'boom' };
const failed: Outcome = { kind: 'failed', error };

const batch = [waitingOf('a', { key: 'x' }), waitingOf('b', { key: 'y', attempts: 2 }), waitingOf('c', { key: 'x' }), waitingOf('d')];

/** `done`, `dead(attempts)`, or `again(attempts, pause)`. */
const text = (verdict: Verdict): string =>
  verdict.kind === 'done'
    ? 'done'
    : verdict.kind === 'dead'
      ? `dead(${verdict.attempts})`
      : `again(${verdict.attempts},${verdict.dueMs - nowMs}${verdict.isAlone ? ',alone' : ''})`;

const cases: readonly (readonly [what: string, outcome: Outcome, change: Partial<AttemptPolicy>, is: string])[] = [
  ['an answer of any kind is success', answered('fine'), {}, 'done done done done'],
  ['an answer that is not JSON is success', answered('{'), {}, 'done done done done'],
  ['an empty list is success', answered({ batchItemFailures: [] }), {}, 'done done done done'],
  ['null is success, as in Lambda', answered({ batchItemFailures: null }), {}, 'done done done done'],
  ['those named failed, and no others', failures('a', 'b'), {}, 'again(1,100) dead(3) done done'],
  [
    'partition: those behind the failed one are held up, and it does not count',
    failures('a'),
    { order: 'partition' },
    'again(1,100) again(2,0) again(0,0) again(0,0)',
  ],
  ['partition: what is behind a dead one goes on', failures('b'), { order: 'partition' }, 'done dead(3) done done'],
  ['key: those of its key are held up', failures('a'), { order: 'key' }, 'again(1,100) done again(0,0) done'],
  ['an unknown id fails them all', failures('z'), {}, 'again(1,100) dead(3) again(1,100) again(1,100)'],
  ['one of several ids unknown, too', failures('a', 'z'), {}, 'again(1,100) dead(3) again(1,100) again(1,100)'],
  ['an id that is none fails them all', failures('a', ''), {}, 'again(1,100) dead(3) again(1,100) again(1,100)'],
  ['no list fails them all', answered({ batchItemFailures: 'a' }), {}, 'again(1,100) dead(3) again(1,100) again(1,100)'],
  ['what was not kept whole may have failures', answered('{"ok":', true), {}, 'again(1,100) dead(3) again(1,100) again(1,100)'],
  ['a failure is everybody’s', failed, {}, 'again(1,100) dead(3) again(1,100) again(1,100)'],
  ['what has not reached the function counts for nobody', { kind: 'throttled', error }, {}, 'again(0,0) again(2,0) again(0,0) again(0,0)'],
  [
    'too large together: each goes alone',
    { kind: 'refused', error: { code: 'RequestTooLarge', message: '' } },
    {},
    'again(0,0,alone) again(2,0,alone) again(0,0,alone) again(0,0,alone)',
  ],
  [
    'what can never reach it is dead',
    { kind: 'refused', error: { code: 'FunctionNotFound', message: '' } },
    {},
    'dead(0) dead(2) dead(0) dead(0)',
  ],
];
for (const [what, outcome, change, is] of cases)
  test(what, () =>
    assert.equal(
      verdictsOf(batch, outcome, { ...policy, ...change }, textAsId, nowMs)
        .map(text)
        .join(' '),
      is,
    ),
  );

test('one that is too large alone is dead', () => {
  const outcome: Outcome = { kind: 'refused', error: { code: 'RequestTooLarge', message: '' } };
  assert.equal(verdictsOf(batch.slice(0, 1), outcome, policy, textAsId, nowMs).map(text).join(' '), 'dead(0)');
});

test('the pause is doubled with each attempt', () => {
  const pauses = [0, 1, 2].map((attempts) =>
    verdictsOf([waitingOf('a', { attempts })], failed, { ...policy, attempts: 9 }, textAsId, nowMs)
      .map(text)
      .join(''),
  );
  assert.deepEqual(pauses, ['again(1,100)', 'again(2,200)', 'again(3,400)']);
});

test('a kind may have names of its own for its messages', () => {
  const idOf = (item: unknown) => (typeof item === 'object' && item !== null && 'offset' in item ? String(item.offset) : undefined);
  const verdicts = verdictsOf([waitingOf('7'), waitingOf('8')], failures({ offset: 8 }), policy, idOf, nowMs);
  assert.equal(verdicts.map(text).join(' '), 'done again(1,100)');
});
