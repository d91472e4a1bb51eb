/** What destinations are told: the shape of Lambda's records. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinationRecord, type EndedEvent } from '../../src/events/destination-record.ts';
import type { CallerRequest } from '../../src/wire/event-calls.ts';

const event = { id: 'the-event', tenant: 'default', function: 'orders' };
const atMs = Date.parse('2026-01-01T00:00:00Z');
const succeeded = (body: string, encoding: 'utf8' | 'base64' = 'utf8', isTruncated = false): EndedEvent['end'] => ({
  kind: 'succeeded',
  attempts: 2,
  atMs,
  result: { status: 200, body, encoding, isTruncated },
});
const failed = (reason: 'attempts' | 'age' | 'refused', attempts: number): EndedEvent['end'] => ({
  kind: 'dead-lettered',
  attempts,
  atMs,
  reason,
  error: { code: 'HandlerError', message: 'boom' },
});
const direct: CallerRequest = { kind: 'event', method: 'POST', target: '/', sourceIp: '', headers: [] };
const recordOf = (change: Partial<EndedEvent>): Record<string, unknown> =>
  JSON.parse(
    destinationRecord({ event, request: direct, body: Buffer.from('{"n":1}'), end: succeeded('{"ok":true}'), version: 7, ...change }),
  ) as Record<string, unknown>;

test('an event that succeeded', () => {
  assert.deepEqual(recordOf({}), {
    version: '1.0',
    timestamp: '2026-01-01T00:00:00.000Z',
    requestContext: {
      requestId: 'the-event',
      functionArn: 'arn:swiftlet:functions:local:default:function:orders:7',
      condition: 'Success',
      approximateInvokeCount: 2,
    },
    requestPayload: { n: 1 },
    responseContext: { statusCode: 200, executedVersion: '7' },
    responsePayload: { ok: true },
  });
});

test('one that failed, with its error as Lambda has it', () => {
  const record = recordOf({ end: failed('attempts', 3) });
  assert.deepEqual(record['responseContext'], { statusCode: 200, executedVersion: '7', functionError: 'Unhandled' });
  assert.deepEqual(record['responsePayload'], { errorType: 'HandlerError', errorMessage: 'boom' });
});

for (const [reason, condition] of [
  ['attempts', 'RetriesExhausted'],
  ['age', 'EventAgeExceeded'],
  ['refused', 'Refused'],
] as const) {
  test(`${reason}: ${condition}`, () => {
    const record = recordOf({ end: failed(reason, 0), version: undefined });
    assert.equal((record['requestContext'] as { condition: string }).condition, condition);
    assert.ok(!('responseContext' in record), 'no invocation, no response');
  });
}

test('a request is told without its headers, and to the byte', () => {
  const request: CallerRequest = {
    kind: 'http',
    method: 'PUT',
    target: '/a?b=c?d',
    sourceIp: '10.0.0.1',
    headers: ['authorization', 'secret'],
  };
  const told = (body: Uint8Array) => recordOf({ request, body })['requestPayload'] as Record<string, unknown>;
  assert.deepEqual(told(Buffer.from('text')), {
    rawPath: '/a',
    rawQueryString: 'b=c?d',
    requestContext: { http: { method: 'PUT', path: '/a', sourceIp: '10.0.0.1' } },
    body: 'text',
    isBase64Encoded: false,
  });
  const binary = told(Buffer.from([0xff, 0]));
  assert.deepEqual([binary['body'], binary['isBase64Encoded']], ['/wA=', true]);
});

test('an answer that is no JSON, or not whole, is told as it was kept', () => {
  assert.equal(recordOf({ end: succeeded('plain') })['responsePayload'], 'plain');
  assert.deepEqual(recordOf({ end: succeeded('{"a":', 'utf8', true) })['responsePayload'], {
    body: '{"a":',
    isBase64Encoded: false,
    isTruncated: true,
  });
  assert.deepEqual(recordOf({ end: succeeded('/wA=', 'base64') })['responsePayload'], {
    body: '/wA=',
    isBase64Encoded: true,
    isTruncated: false,
  });
});
