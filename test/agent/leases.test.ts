/** Several gateways and the slots of one instance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holding, type Lease, renewed, slotsIn, withoutSlots, withSlots } from '../../src/agent/leases.ts';
import type { Peer } from '../../src/wire/calls.ts';

function gateway(process: string): Peer & { end(): void } {
  const alive = new AbortController();
  const nothing = () => undefined;
  const greeting = { process };
  return {
    role: 'gateway',
    greeting,
    signal: alive.signal,
    notify: nothing,
    notifyText: nothing,
    close: nothing,
    end: () => alive.abort(),
  };
}
const told = (leases: readonly Lease[]) => leases.map(({ process, slots }) => [process, slots]);

test('slots go from one gateway to the other, and are never more than there are', () => {
  const [one, other] = [gateway('one'), gateway('other')];
  const all = withSlots([], one, 10, 100);
  const less = withoutSlots(all, one, 4);
  assert.equal(slotsIn(less), 6);
  const shared = withSlots(less, other, 4, 100);
  assert.deepEqual(told(shared), [
    ['one', 6],
    ['other', 4],
  ]);
  assert.deepEqual(told(withSlots(shared, other, 1, 200)).at(-1), ['other', 5]);
  assert.deepEqual(told(withoutSlots(shared, one)), [['other', 4]]);
  assert.deepEqual(withoutSlots(withoutSlots(shared, one), other, 4), []);
});

test('a gateway on another connection has what it had, and no more than others leave it', () => {
  const [one, again, other, stranger] = [gateway('one'), gateway('one'), gateway('other'), gateway('stranger')];
  const shared = withSlots(withSlots([], one, 6, 100), other, 4, 100);
  assert.deepEqual(told(renewed(shared, again, 10, 10, 200)), [
    ['other', 4],
    ['one', 6],
  ]);
  assert.deepEqual(told(renewed(shared, stranger, 10, 10, 200)), told(shared));
  // An agent that knows nothing of anybody believes each, as far as there is room.
  assert.deepEqual(told(renewed(renewed([], other, 4, 10, 200), one, 10, 10, 200)), [
    ['other', 4],
    ['one', 6],
  ]);
  assert.deepEqual(told(renewed([], one, undefined, 10, 200)), [['one', 10]]);
});

test('slots of a gateway that is gone are nobody’s for as long as a request of its may go on, unless the whole instance is', () => {
  const [one, other] = [gateway('one'), gateway('other')];
  const shared = withSlots(withSlots([], one, 6, 100), other, 4, 100);
  one.end();
  const left = holding(shared, 50, 30);
  assert.equal(slotsIn(left), 10);
  assert.deepEqual(told(holding(left, 79, 30)), told(shared));
  assert.deepEqual(told(holding(left, 80, 30)), [['other', 4]]);
  // It was alive, and is back.
  assert.deepEqual(told(holding(renewed(left, gateway('one'), 6, 10, 200), 150, 30)), [['one', 6]]);
  other.end();
  assert.deepEqual(holding(left, 60, 30), []);
});
