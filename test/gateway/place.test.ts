/** Whom of several agents a gateway asks for an instance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Agents } from '../../src/gateway/instances/agents.ts';
import { place, type Seat } from '../../src/gateway/instances/place.ts';
import type { CallClient } from '../../src/wire/calls.ts';
import type { Offer } from '../../src/wire/placement-calls.ts';
import { version } from './starting-instance.ts';

const seat = (agent: number, what: Partial<Seat> = {}): Seat => ({
  agent,
  isOpen: true,
  resting: 0,
  room: 5,
  places: 10,
  capacity: 20,
  freeMiB: 4_096,
  hasCode: true,
  warm: 1,
  ...what,
});
/** Where it goes, whatever two chance draws. */
const placed = (seats: readonly Seat[]) =>
  [...new Set([0, 0.3, 0.6, 0.99].flatMap((first) => [0, 0.5, 0.99].map((next) => placedAt(seats, [first, next]))))].toSorted();
function placedAt(seats: readonly Seat[], draws: number[]) {
  return place(seats, 128, () => draws.shift() ?? 0);
}

for (const [what, seats, expected] of [
  ['where nobody is there, nowhere', [seat(0, { isOpen: false })], [undefined]],
  ['of one that is there', [seat(0, { isOpen: false }), seat(1, { room: 0, places: 0 })], [1]],
  ['where an instance waits, before all else', [seat(0), seat(1, { resting: 1, hasCode: false, warm: 0, places: 0 })], [1]],
  ['where most wait', [seat(0, { resting: 1 }), seat(1, { resting: 3 })], [1]],
  ['not where the function may have no more', [seat(0, { room: 0 }), seat(1, { hasCode: false, warm: 0 })], [1]],
  ['not where no sandbox has a place', [seat(0, { places: 0 }), seat(1, { hasCode: false, warm: 0 })], [1]],
  ['not where too little memory is left', [seat(0, { freeMiB: 127 }), seat(1, { hasCode: false })], [1]],
  ['where the code is', [seat(0, { hasCode: false }), seat(1, { warm: 0, places: 1 })], [1]],
  ['where a sandbox is warm', [seat(0, { warm: 0 }), seat(1, { places: 1 })], [1]],
  ['where less goes on', [seat(0, { places: 3 }), seat(1, { places: 12 })], [1]],
  ['where all is full, to one that says why', [seat(0, { room: 0 }), seat(1, { room: 0 })], [0, 1]],
  ['of three never to the worst: it is one of any two', [seat(0, { places: 9 }), seat(1, { places: 2 }), seat(2, { places: 6 })], [0, 2]],
  ['of equals to the one that chance draws', [seat(0), seat(1)], [0, 1]],
] as const)
  test(`a start goes ${what}`, () => {
    assert.deepEqual(placed(seats), expected);
  });

test('gateways that know the same do not all go to the same agent', () => {
  const seats = Array.from({ length: 8 }, (_, agent) => seat(agent, { places: agent }));
  let state = 7;
  const chance = () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  const counts = new Map<number, number>();
  for (let start = 0; start < 1_000; start++) {
    const agent = place(seats, 128, chance) ?? -1;
    counts.set(agent, (counts.get(agent) ?? 0) + 1);
  }
  assert.ok(Math.max(...counts.values()) < 400, JSON.stringify([...counts]));
});

/** Two agents, of which the test says whether they are there. */
function twoAgents() {
  const there = [true, true];
  const all = there.map((_, number) => {
    const client = {
      get connected() {
        return there[number];
      },
    } as unknown as CallClient;
    return { number, labels: {}, client };
  });
  const agents = new Agents(all, () => 0);
  const offer = (number: number, what: Partial<Offer>) => {
    const [agent] = all.slice(number);
    assert.ok(agent !== undefined);
    assert.ok(agents.heard(agent, 'offer', { places: 10, capacity: 20, freeMiB: 4_096, pools: [], versions: [], ...what } satisfies Offer));
  };
  const choose = (now: number) => agents.choose(version, [0, 1], now);
  return { agents, there, all, offer, choose };
}

test('what was asked of an agent and is not answered counts, and so does what it has just refused', () => {
  const { agents, there, offer, choose } = twoAgents();
  const id = `${version.tenant}/${version.function}@${version.number}`;
  offer(0, { versions: [{ id, resting: 1, room: 5 }] });
  offer(1, {});
  const first = choose(0);
  assert.equal(first?.number, 0);
  // The one that waited is as good as gone; the other agent has less to do.
  offer(1, { places: 19 });
  assert.equal(choose(0)?.number, 1);
  agents.answered(first, version, true, 0);
  assert.deepEqual([choose(10)?.number, agents.hasOther(version, [0, 1], 10)], [1, true]);
  there[1] = false;
  // Whoever has just refused is better than nobody.
  assert.deepEqual([choose(10)?.number, agents.hasOther(version, [0, 1], 10)], [0, false]);
  there[0] = false;
  assert.equal(choose(10), undefined);
});

test('code that an agent says it has, or has no more, is known until it says all anew', () => {
  const { agents, all, offer, choose } = twoAgents();
  const [one, other] = all;
  assert.ok(one !== undefined && other !== undefined);
  offer(0, { places: 20 });
  offer(1, { places: 1 });
  const key = `${version.tenant}/${version.digest}`;
  agents.heard(other, 'cached', { isFirst: true, added: [key], removed: [] });
  assert.equal(choose(0)?.number, 1);
  agents.heard(other, 'cached', { isFirst: false, added: [], removed: [key] });
  assert.equal(choose(0)?.number, 0);
  assert.equal(agents.heard(one, 'ended', {}), false);
});
