/** What the gateway's answer means for an event. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DeliveryAnswer, outcomeOf } from '../../src/events/outcome.ts';

const answer = (status: number, platformError?: string, body = 'text'): DeliveryAnswer => ({
  status,
  contentType: 'text/plain',
  platformError,
  body: Buffer.from(body),
  isTruncated: false,
});

const rows: readonly (readonly [answer: DeliveryAnswer, isServed: boolean, kind: string, code?: string])[] = [
  [answer(200), true, 'answered'],
  [answer(404), true, 'answered'],
  [answer(500), true, 'failed', 'HandlerError'],
  [answer(503), true, 'failed', 'HandlerError'],
  [answer(502, 'HandlerError'), true, 'failed', 'HandlerError'],
  [answer(504, 'Timeout'), true, 'failed', 'Timeout'],
  [answer(502, 'FunctionCrashed'), true, 'failed', 'FunctionCrashed'],
  [answer(429, 'TooManyRequests'), true, 'throttled', 'TooManyRequests'],
  [answer(429, 'RateLimited'), true, 'throttled', 'RateLimited'],
  [answer(503, 'CircuitOpen'), true, 'throttled', 'CircuitOpen'],
  [answer(503, 'DeadlineUnreachable'), true, 'throttled', 'DeadlineUnreachable'],
  [answer(503, 'QueueFull'), true, 'throttled', 'QueueFull'],
  [answer(504, 'QueueTimeout'), true, 'throttled', 'QueueTimeout'],
  [answer(503, 'Unavailable'), true, 'throttled', 'Unavailable'],
  [answer(404, 'FunctionNotFound'), false, 'refused', 'FunctionNotFound'],
  [answer(404, 'FunctionNotFound'), true, 'throttled', 'FunctionNotFound'],
  [answer(400, 'PathInvalid'), true, 'refused', 'PathInvalid'],
  [answer(500, 'SomethingNewer'), true, 'failed', 'SomethingNewer'],
];
for (const [given, isServed, kind, code] of rows) {
  test(`${given.status} ${given.platformError ?? 'of the function'}, ${isServed ? 'served' : 'not served'}: ${kind}`, () => {
    const outcome = outcomeOf(given, isServed);
    assert.deepEqual([outcome.kind, 'error' in outcome ? outcome.error.code : undefined], [kind, code]);
  });
}

test('the detail of problem details becomes the message', () => {
  const outcome = outcomeOf(answer(502, 'HandlerError', '{"detail":"TypeError: x"}'), true);
  assert.ok('error' in outcome && outcome.error.message === 'TypeError: x');
});

test('what is no text is kept in Base64', () => {
  const outcome = outcomeOf({ ...answer(200), body: Buffer.from([0xff, 0x00]), contentType: undefined }, true);
  assert.deepEqual(outcome, { kind: 'answered', result: { status: 200, body: '/wA=', encoding: 'base64', isTruncated: false } });
});
