import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge, lowerBound, zScore } from '../../src/control/verdict.ts';
import { type VersionCounts, watchBoundsMs } from '../../src/wire/gateway-calls.ts';

/** Counts of a version, as they come in. */
class Counts implements VersionCounts {
  readonly version: number;
  readonly times = new Array<number>(watchBoundsMs.length + 1).fill(0);
  requests = 0;
  errors = 0;

  constructor(version: number) {
    this.version = version;
  }

  add(ms: number): this {
    const bucket = watchBoundsMs.findIndex((bound) => ms <= bound);
    const at = bucket < 0 ? watchBoundsMs.length : bucket;
    this.times[at] = (this.times[at] ?? 0) + 1;
    this.requests += 1;
    return this;
  }
}

function counts(version: number, times: readonly number[], errors = 0): VersionCounts {
  const made = new Counts(version);
  for (const ms of times) made.add(ms);
  made.errors = errors;
  return made;
}

const some = (count: number, ms = 10): number[] => new Array<number>(count).fill(ms);
const old = (count: number, errors = 0, ms = 10) => counts(1, some(count, ms), errors);
const fresh = (count: number, errors = 0, ms = 10) => counts(2, some(count, ms), errors);

describe('a new version', () => {
  const cases: [what: string, next: VersionCounts, before: VersionCounts | undefined, kind: string, reason?: RegExp][] = [
    ['with too few requests', fresh(29, 29), old(1_000), 'unproven'],
    ['that does the same', fresh(100), old(1_000), 'good'],
    ['with as many errors as the one before', fresh(100, 10), old(1_000, 100), 'good'],
    ['with four errors', fresh(100, 4), old(10_000), 'good'],
    [
      'with errors where there were none',
      fresh(100, 10),
      old(1_000),
      'worse',
      /^10 of 100 requests to version 2 failed \(10\.0 %\), but only 0 of 1000 /,
    ],
    ['with every request failing', fresh(30, 30), old(600, 3), 'worse', /30 of 30/],
    ['with half a per cent of errors more, and many requests', fresh(100_000, 600), old(100_000, 100), 'good'],
    ['with two per cent more, and many requests', fresh(10_000, 220), old(10_000, 20), 'worse', /2\.2 %/],
    ['with fewer errors', fresh(1_000, 0), old(1_000, 500), 'good'],
    ['that is twice as slow', fresh(100, 0, 100), old(1_000, 0, 50), 'worse', /^95 % of the requests to version 1 were answered within/],
    ['with nine that a stall of the host held up together', counts(2, [...some(91), ...some(9, 300)]), old(1_000), 'good'],
    ['that is slow, after fewer requests than a hundred', fresh(99, 0, 100), old(1_000, 0, 50), 'good'],
    ['that is slower by less than ten milliseconds', fresh(1_000, 0, 9), old(1_000, 0, 1), 'good'],
    ['that is slower by a tenth', fresh(1_000, 0, 110), old(1_000, 0, 100), 'good'],
    ['that is faster', fresh(1_000, 0, 10), old(1_000, 0, 100), 'good'],
    ['with a few slow ones, fewer than one in twenty', counts(2, [...some(970), ...some(30, 5_000)]), old(1_000), 'good'],
    ['with a tenth of slow ones', counts(2, [...some(900), ...some(100, 5_000)]), old(1_000), 'worse'],
    ['whose predecessor was beyond all bounds', fresh(1_000, 0, 600_000), old(1_000, 0, 600_000), 'good'],
    ['alone, without errors, however slow', fresh(1_000, 0, 5_000), undefined, 'good'],
    ['alone, with few errors', fresh(1_000, 40), old(3), 'good'],
    ['alone, with many', fresh(1_000, 100), undefined, 'worse', /with no other version at work, 5 % are tolerated/],
  ];
  for (const [what, next, before, kind, reason] of cases) {
    it(`${what} is ${kind}`, () => {
      const verdict = judge(next, before);
      assert.equal(verdict.kind, kind, JSON.stringify(verdict));
      if (reason !== undefined) assert.match(verdict.kind === 'worse' ? verdict.reason : '', reason);
    });
  }
});

describe('the statistics', () => {
  it('are those of the books', () => {
    // By hand: (0.10135 + 16/296 − 4 √(0.10135·0.89865/148 + 16/(4·148²))) / (1 + 16/148).
    assert.ok(Math.abs(lowerBound(15, 148) - 0.03827) < 0.00002, String(lowerBound(15, 148)));
    assert.equal(zScore(0, 10, 0, 10), 0);
    assert.ok(Math.abs(zScore(45, 100, 25, 100) - 2.965) < 0.001, String(zScore(45, 100, 25, 100)));
  });
});

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('a rollout of 60 s at 50 requests/s and 10 %, looked at twice a second', () => {
  /** When it was rolled back, in seconds; undefined when it was not. */
  function rolledBackAt(chance: () => number, errorRate: number, slowness: number): number | undefined {
    const took = (factor: number) => factor * -20 * Math.log(1 - chance());
    const [next, before] = [new Counts(2), new Counts(1)];
    for (let look = 1; look <= 120; look++) {
      for (let request = 0; request < 25; request++) {
        const isNext = chance() < 0.1;
        const side = (isNext ? next : before).add(took(isNext ? slowness : 1));
        if (chance() < (isNext ? errorRate : 0.005)) side.errors += 1;
      }
      if (judge(next, before).kind === 'worse') return look / 2;
    }
    return undefined;
  }
  const run = (errorRate: number, slowness: number) => {
    const chance = seeded(11);
    return Array.from({ length: 200 }, () => rolledBackAt(chance, errorRate, slowness));
  };
  const ended = (runs: (number | undefined)[]) => runs.filter((at) => at !== undefined);

  it('of a version that is as good is rolled back in 1 of 100 cases at most', () => assert.ok(ended(run(0.005, 1)).length <= 2));
  it('of one with a tenth of errors is always rolled back', () => assert.equal(ended(run(0.1, 1)).length, 200));
  it('of one that takes three times as long is always rolled back', () => assert.equal(ended(run(0.005, 3)).length, 200));
});
