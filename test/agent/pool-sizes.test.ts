/** Scripted demand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { burstMs, type Demand, halfLifeMs, noDemand, poolSizes, taken, wantedSize } from '../../src/agent/pool-sizes.ts';

const range = { minimum: 4, maximum: 32 };
const minute = 60_000;
/** @param bursts so many takes at once, at these times */
const after = (bursts: readonly (readonly [at: number, takes: number])[]): Demand =>
  bursts.reduce((demand, [at, takes]) => Array.from({ length: takes }).reduce<Demand>((before) => taken(before, at), demand), noDemand);

describe('a pool’s size', () => {
  const cases: readonly (readonly [what: string, bursts: readonly (readonly [at: number, takes: number])[], now: number, size: number])[] =
    [
      ['nobody takes anything', [], 10 * minute, 4],
      [
        'single takes, each alone',
        [
          [0, 1],
          [2_000, 1],
          [4_000, 1],
        ],
        4_000,
        4,
      ],
      ['a burst, at once', [[0, 20]], 0, 20],
      [
        'a burst in pieces of less than a second',
        [
          [0, 8],
          [300, 8],
          [900, 4],
        ],
        900,
        20,
      ],
      [
        'two bursts with a pause are no larger one',
        [
          [0, 10],
          [burstMs, 10],
        ],
        burstMs,
        10,
      ],
      ['a burst above the maximum', [[0, 500]], 0, 32],
      ['half a minute of silence', [[0, 20]], halfLifeMs / 2, 14],
      ['a minute of silence', [[0, 20]], halfLifeMs, 10],
      ['ten minutes of silence', [[0, 500]], 10 * minute, 4],
      [
        'a burst every minute keeps it large',
        [
          [0, 20],
          [minute, 20],
          [2 * minute, 20],
        ],
        2 * minute + 1_000,
        20,
      ],
      [
        'a smaller burst does not shrink it',
        [
          [0, 20],
          [10_000, 2],
        ],
        10_000,
        18,
      ],
    ];
  for (const [what, bursts, now, size] of cases) it(`${what}: ${size}`, () => assert.equal(wantedSize(after(bursts), now, range), size));

  it('goes back to the minimum, and never below it, step by step', () => {
    const demand = after([[0, 32]]);
    const sizes = Array.from({ length: 600 }, (_, second) => wantedSize(demand, second * 1_000, range));
    assert.ok(sizes.every((size, at) => at === 0 || size <= (sizes[at - 1] ?? 0)));
    assert.deepEqual([sizes[0], sizes.at(-1)], [32, 4]);
  });

  it('is nothing where nothing is to be kept warm', () => assert.equal(wantedSize(after([[0, 50]]), 0, { minimum: 0, maximum: 0 }), 0));
});

describe('the memory of all pools', () => {
  const wish = (key: string, wanted: number, minimum = 4, bytesEach = 10) => ({ key, wanted, minimum, bytesEach });
  const cases: readonly (readonly [what: string, wishes: ReturnType<typeof wish>[], budget: number, sizes: number[]])[] = [
    ['is enough', [wish('a', 8), wish('b', 20)], 280, [8, 20]],
    ['is divided by what they want beyond their minimums', [wish('a', 8), wish('b', 32)], 200, [4, 16]],
    ['is for the minimums first', [wish('a', 4), wish('b', 100)], 100, [4, 6]],
    ['is not enough for the minimums', [wish('a', 4), wish('b', 4), wish('c', 4)], 60, [2, 2, 2]],
    ['is less than one sandbox', [wish('a', 4)], 9, [0]],
    ['goes to the small ones when there is none left for a large one', [wish('a', 4, 4, 10), wish('b', 4, 4, 50)], 85, [3, 1]],
  ];
  for (const [what, wishes, budget, sizes] of cases)
    it(what, () => {
      const divided = poolSizes(wishes, budget);
      assert.deepEqual([...divided.values()], sizes);
    });

  it('is never exceeded, whatever is wanted', () => {
    // Numbers as good as drawn, the same each time.
    let seed = 1;
    const draw = (below: number) => (seed = (seed * 48_271) % 2_147_483_647) % below;
    for (let round = 0; round < 500; round++) {
      const wishes = Array.from({ length: 1 + draw(6) }, (_, at) => wish(String(at), draw(40), draw(10), 1 + draw(30)));
      const budget = draw(1_000);
      const sizes = poolSizes(wishes, budget);
      assert.ok(wishes.reduce((sum, { key, bytesEach }) => sum + (sizes.get(key) ?? 0) * bytesEach, 0) <= budget);
      assert.ok(wishes.every(({ key, wanted }) => (sizes.get(key) ?? 0) <= wanted));
    }
  });
});
