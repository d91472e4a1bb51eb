/** Parts of limits go from agent to agent: what is moved, and that the sum is never above the whole, whoever ends in between. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import pino from 'pino';
import { Budgets } from '../../src/agent/budgets.ts';
import { budgetsDoor } from '../../src/agent/budgets-door.ts';
import { MoveBudgets, moveFor } from '../../src/control/move-budgets.ts';
import { partOf } from '../../src/model/fleet.ts';
import type { Budget, Lacks } from '../../src/wire/budget-calls.ts';
import type { Peer } from '../../src/wire/calls.ts';

const folder = mkdtempSync(join(tmpdir(), 'swiftlet-budgets-'));
after(() => rmSync(folder, { recursive: true }));

const ofMemory: Budget = { key: 'memory shop', whole: 512, agents: [0, 1], keepsHalf: false };
const ofFunction: Budget = { key: 'default/f', whole: 10, agents: [0, 1], keepsHalf: true };

for (const [what, wanted, holders, expected] of [
  [
    'half of what another one does not need',
    1,
    [
      [0, 5, 0],
      [1, 5, 4],
    ],
    { lost: 0, from: [{ agent: 1, amount: 2 }] },
  ],
  [
    'no less than is lacked, as far as it is there',
    4,
    [
      [0, 5, 0],
      [1, 5, 3],
    ],
    { lost: 0, from: [{ agent: 1, amount: 3 }] },
  ],
  [
    'of the richest first',
    3,
    [
      [0, 2, 0],
      [1, 3, 1],
      [2, 5, 4],
    ],
    { lost: 0, from: [{ agent: 2, amount: 3 }] },
  ],
  [
    'of several, when one has not enough',
    5,
    [
      [0, 2, 0],
      [1, 3, 2],
      [2, 5, 4],
    ],
    {
      lost: 0,
      from: [
        { agent: 2, amount: 4 },
        { agent: 1, amount: 1 },
      ],
    },
  ],
  [
    'what was lost before all else',
    1,
    [
      [0, 4, 0],
      [1, 4, 4],
    ],
    { lost: 2, from: [] },
  ],
  [
    'nothing where nobody has any',
    1,
    [
      [0, 5, 0],
      [1, 5, 0],
    ],
    { lost: 0, from: [] },
  ],
] as const)
  test(`to who lacks some goes ${what}`, () => {
    const all = holders.map(([agent, part, spare]) => ({ agent, part, spare }));
    assert.deepEqual(moveFor({ ...ofFunction, agents: [0, 1, 2], agent: 0, wanted }, all), expected);
  });

/** Two agents and their control. */
class Fleet {
  now = 0;
  readonly used = [0, 0];
  readonly told: Lacks[] = [];
  /** Asks that are lost on their way, by method. */
  lost: string | undefined;
  budgets: Budgets[];
  readonly moves = new MoveBudgets(
    [0, 1].map((number) => ({
      connected: true,
      ask: (method: string, body: unknown) =>
        method === this.lost
          ? Promise.reject(new Error('it is gone'))
          : Promise.resolve(budgetsDoor(this.budgets[number] ?? assert.fail(), {}).ask?.(method, body, {} as Peer)),
    })),
    pino({ enabled: false }),
  );
  readonly name: string;

  constructor(name: string) {
    this.name = name;
    this.budgets = [this.agent(0), this.agent(1)];
  }

  agent(number: number): Budgets {
    return new Budgets({
      agent: number,
      path: join(folder, `${this.name}-${number}`),
      used: () => this.used[number] ?? 0,
      tell: (lacks) => this.told.push(lacks),
      now: () => this.now,
    });
  }

  parts(budget: Budget): number[] {
    return this.budgets.map((one) => one.of(budget));
  }

  async lack(agent: number, budget: Budget, wanted: number): Promise<void> {
    this.now += 1_000;
    this.budgets[agent]?.lacks(budget, wanted);
    for (const lacks of this.told.splice(0)) await this.moves.lacks(lacks);
  }
}

test('an agent gets what others do not need, and its successor has it still', async () => {
  const fleet = new Fleet('plain');
  assert.deepEqual(fleet.parts(ofMemory), [256, 256]);
  fleet.used[1] = 100;
  await fleet.lack(0, ofMemory, 128);
  assert.deepEqual(fleet.parts(ofMemory), [384, 128]);
  fleet.budgets = [fleet.agent(0), fleet.agent(1)];
  assert.deepEqual(fleet.parts(ofMemory), [384, 128]);
  // Another whole is another budget, and what was moved of one that is gone is forgotten.
  assert.deepEqual(fleet.parts({ ...ofMemory, whole: 100 }), [50, 50]);
  for (const one of fleet.budgets) one.keepOnly([]);
  assert.deepEqual(fleet.parts(ofMemory), [256, 256]);
});

test('of a function each agent keeps half of its part, needed or not', async () => {
  const fleet = new Fleet('half');
  for (let round = 0; round < 5; round++) await fleet.lack(0, ofFunction, 1);
  const kept = Math.ceil(partOf(10, [0, 1], 1, ofFunction.key) / 2);
  assert.deepEqual(fleet.parts(ofFunction), [10 - kept, kept]);
});

test('what an agent had given when control or the other one ended is found again; meanwhile the sum is less, and never more', async () => {
  const fleet = new Fleet('lost');
  fleet.lost = 'grant';
  await fleet.lack(0, ofMemory, 64);
  assert.deepEqual(fleet.parts(ofMemory), [256, 128]);
  fleet.lost = undefined;
  await fleet.lack(0, ofMemory, 64);
  assert.deepEqual(fleet.parts(ofMemory), [384, 128]);
});

test('who lacks says so now and then only, and not at all when nobody has more', () => {
  const fleet = new Fleet('away');
  for (let refused = 0; refused < 5; refused++) fleet.budgets[0]?.lacks(ofMemory, 1);
  assert.equal(fleet.told.length, 1);
  // Who has all lacks nothing that another one could give.
  fleet.budgets[0]?.take(ofMemory, 1_000);
  fleet.now += 1_000;
  fleet.budgets[0]?.lacks(ofMemory, 1);
  assert.deepEqual([fleet.told.length, fleet.budgets[0]?.of(ofMemory)], [1, 512]);
});
