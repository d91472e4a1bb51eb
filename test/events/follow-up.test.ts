/** What follows from an event's end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinationOf, followUp } from '../../src/events/follow-up.ts';
import type { Settlement } from '../../src/events/event-log.ts';

const error = { code: 'HandlerError', message: 'boom' };
const ends: Readonly<Record<string, Settlement>> = {
  succeeded: { kind: 'succeeded', attempts: 1, atMs: 1, result: { status: 200, body: '', encoding: 'utf8', isTruncated: false } },
  dead: { kind: 'dead-lettered', attempts: 3, atMs: 1, reason: 'attempts', error },
  discarded: { kind: 'discarded', attempts: 3, atMs: 1, reason: 'attempts', error },
  again: { kind: 'waiting', attempts: 1, dueMs: 1, error },
};
const success = { kind: 'function', function: 'good' } as const;
const failure = { kind: 'webhook', url: 'https://hooks.test/', secretVariable: 'SECRET' } as const;
const cause = { tenant: 'default', function: 'hello', hops: 0 };

test('the destination is that of the end, of what went to the function', () => {
  const of = (end: string, way: 'gateway' | 'webhook' = 'gateway') =>
    destinationOf({ success, failure }, { way }, ends[end] ?? assert.fail());
  assert.deepEqual([of('succeeded'), of('dead'), of('discarded'), of('again')], [success, failure, failure, undefined]);
  assert.deepEqual([of('succeeded', 'webhook'), of('dead', 'webhook')], [undefined, undefined]);
  assert.equal(destinationOf({}, { way: 'gateway' }, ends['dead'] ?? assert.fail()), undefined);
});

test('a webhook’s event is its function’s own, a function’s is that function’s, one hop further', () => {
  const hook = followUp(cause, failure, '{}', 'id', 5);
  assert.deepEqual([hook.function, hook.request, hook.hops, hook.end], ['hello', failure, undefined, undefined]);
  const call = followUp(cause, success, '{}', 'id', 5);
  assert.deepEqual(
    [call.function, call.request.kind, call.hops, call.end, Buffer.from(call.body).toString()],
    ['good', 'event', 1, undefined, '{}'],
  );
});

test('a function gets it in the lane that its cause was in', () => {
  assert.deepEqual(
    [undefined, 'blue'].map((lane) => followUp(cause, success, '{}', 'id', 5, lane).request),
    [undefined, 'blue'].map((lane) => ({
      kind: 'event',
      method: 'POST',
      target: '/',
      sourceIp: '',
      headers: [],
      ...(lane === undefined ? {} : { lane }),
    })),
  );
});

test('the sixteenth in a row is delivered, the seventeenth ends at once', () => {
  assert.equal(followUp({ ...cause, hops: 15 }, success, '{}', 'id', 5).end, undefined);
  const stopped = followUp({ ...cause, hops: 16 }, success, '{}', 'id', 5);
  assert.deepEqual(
    [stopped.hops, stopped.end?.kind, stopped.end?.reason, stopped.end?.error.code],
    [17, 'dead-lettered', 'recursion', 'RecursionStopped'],
  );
});
