import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteBudget } from '../../src/gateway/http/byte-budget.ts';
import { CallGraph } from '../../src/gateway/calls/call-graph.ts';
import { type FunctionCall, readCall } from '../../src/gateway/calls/call-frames.ts';
import { callRefusal } from '../../src/gateway/calls/call-refusal.ts';
import { fromOutside, originOf } from '../../src/gateway/doors/origin.ts';
import { deliveryHeaders, wayHeaders } from '../../src/wire/delivery.ts';
import { maxCallBytes, maxCallsAtOnce, maxEventBytes, maxHops } from '../../src/model/limits.ts';
import { callPayload } from './call-payload.ts';

test('a call is read as it was written, or not at all', () => {
  assert.deepEqual(readCall(callPayload(7, 'resize', '{"n":1}')), {
    number: 7,
    isAsync: false,
    function: 'resize',
    event: Buffer.from('{"n":1}'),
  });
  assert.equal(readCall(callPayload(1, 'a', '', 1))?.isAsync, true);
  for (const broken of [Buffer.alloc(0), Buffer.alloc(5), callPayload(1, 'abc', '').subarray(0, 8), callPayload(1, 'a', '{}', 2)])
    assert.equal(readCall(broken), undefined);
});

const call = (change: Partial<FunctionCall> = {}): FunctionCall => ({
  number: 1,
  isAsync: false,
  function: 'b',
  event: Buffer.alloc(0),
  ...change,
});
const calling = { function: 'a', grants: ['b'], hops: 0, open: 0 };
const decisions: [what: string, call: FunctionCall, calling: Parameters<typeof callRefusal>[1], code: string | undefined][] = [
  ['a granted one', call(), calling, undefined],
  ['one that is not granted', call({ function: 'c' }), calling, 'CallForbidden'],
  ['a name that is none', call({ function: '__proto__' }), calling, 'CallForbidden'],
  ['as much as may be', call({ event: Buffer.alloc(maxCallBytes) }), calling, undefined],
  ['more', call({ event: Buffer.alloc(maxCallBytes + 1) }), calling, 'RequestTooLarge'],
  ['more than an event has', call({ isAsync: true, event: Buffer.alloc(maxEventBytes + 1) }), calling, 'RequestTooLarge'],
  ['too many at once', call(), { ...calling, open: maxCallsAtOnce }, 'TooManyRequests'],
  ['the last of a chain', call(), { ...calling, hops: maxHops - 1 }, undefined],
  ['one too many in a row', call(), { ...calling, hops: maxHops }, 'RecursionStopped'],
  ['one too many that nobody waits for: the event log keeps it', call({ isAsync: true }), { ...calling, hops: maxHops }, undefined],
];
for (const [what, asked, by, code] of decisions) test(`a call: ${what}`, () => assert.equal(callRefusal(asked, by)?.code, code));

test('what a request is caused by comes over as it was sent', () => {
  const origin = { hops: 3, caller: { function: 'a', requestId: 'r-1' }, deadlineMs: Number.POSITIVE_INFINITY };
  assert.deepEqual(originOf({ [deliveryHeaders.hops]: '3', [deliveryHeaders.caller]: 'a r-1' }), origin);
  const way = ['GET /users/{id}', ['id', 'café'], { jwt: { claims: { sub: 'ada' }, scopes: null } }] as const;
  const led = Object.fromEntries(wayHeaders('blue', way).flatMap((name, at, all) => (at % 2 === 0 ? [[name, all[at + 1]]] : [])));
  assert.deepEqual(originOf(led), { ...fromOutside, lane: 'blue', way });
  assert.deepEqual(originOf({ [deliveryHeaders.warmUp]: 'yes' }), { ...fromOutside, isWarmUp: true });
  assert.deepEqual(originOf({}), fromOutside);
});

test('a budget is for each and for all, and comes back', () => {
  const budget = new ByteBudget({ each: 10, all: 15 });
  assert.ok(budget.take('a', 10));
  assert.ok(!budget.take('a', 1));
  assert.ok(budget.take('b', 5));
  assert.ok(!budget.take('b', 1));
  budget.give('a', 10);
  assert.ok(budget.take('b', 5));
  assert.equal(budget.held, 10);
});

test('the call graph has who called whom, and no name that a function made up', async () => {
  const graph = new CallGraph(0);
  const a = { tenant: 'default', function: 'a' };
  graph.count(a, 'b', false, 'ok');
  graph.count(a, 'b', false, 'ok');
  graph.count(a, 'b', true, 'EventNotStored');
  graph.count({ ...a, function: 'c' }, 'a', false, 'ok');
  for (let at = 0; at < 1_000; at++) graph.count(a, `evil-${at}"\n`, false, 'CallForbidden');
  const { since, calls } = graph.of('default', 'a');
  assert.equal(since, '1970-01-01T00:00:00.000Z');
  assert.deepEqual(
    calls.map(({ caller, callee, kind, outcome, count }) => [caller, callee, kind, outcome, count]),
    [
      ['a', 'b', 'sync', 'ok', 2],
      ['a', 'b', 'async', 'EventNotStored', 1],
      ['a', '(not granted)', 'sync', 'CallForbidden', 1_000],
      ['c', 'a', 'sync', 'ok', 1],
    ],
  );
  assert.match(await graph.text(), /swiftlet_function_calls_total\{tenant="default",function="a",callee="b",kind="sync",outcome="ok"\} 2/);
  for (let at = 0; at < 1_000; at++) graph.count(a, `granted-${at}`, false, 'ok');
  assert.ok(graph.of('default', 'a').calls.length < 600);
  graph.forgetAllBut(new Map([['default/c', 1]]));
  assert.deepEqual(graph.of('default', 'b').calls, []);
});
