/** How many warm sandboxes each pool keeps: as many as a burst took not long ago, between a minimum and a maximum, within the host's memory. Pure. */

/** What was taken from a pool, as far as its size goes by it. Times in milliseconds of a clock that does not go back. */
export interface Demand {
  /** The largest burst so far, as it counted at `at`; it fades with time. */
  readonly peak: number;
  readonly at: number;
  /** Takes of the burst that goes on, and when that began. */
  readonly burst: number;
  readonly since: number;
}

export const noDemand: Demand = { peak: 0, at: 0, burst: 0, since: 0 };

/** Takes so close together are one burst: a refill of several sandboxes takes about that long. */
export const burstMs = 1_000;
/** After so long without a burst of its size half of it is expected. */
export const halfLifeMs = 60_000;

/** A sandbox was taken. */
export function taken(demand: Demand, now: number): Demand {
  const goesOn = now - demand.since < burstMs;
  const burst = goesOn ? demand.burst + 1 : 1;
  return { peak: Math.max(burst, faded(demand, now)), at: now, burst, since: goesOn ? demand.since : now };
}

export interface PoolRange {
  readonly minimum: number;
  readonly maximum: number;
}

/** What a pool should have now. */
export const wantedSize = (demand: Demand, now: number, { minimum, maximum }: PoolRange): number =>
  Math.min(maximum, Math.max(minimum, Math.round(faded(demand, now))));

const faded = ({ peak, at }: Demand, now: number): number => peak * 2 ** (-(now - at) / halfLifeMs);

export interface PoolWish {
  readonly key: string;
  readonly wanted: number;
  readonly minimum: number;
  /** What one warm sandbox of it takes of the host's memory. */
  readonly bytesEach: number;
}

/**
 * Divides the memory for warm sandboxes. All get what they want when there is enough; else first their minimums, then what they want beyond
 * these, each time the pool that has the least of it. Together they never take more than the budget.
 * @returns sizes by key
 */
export function poolSizes(wishes: readonly PoolWish[], budgetBytes: number): Map<string, number> {
  const sizes = new Map(wishes.map(({ key }) => [key, 0]));
  let left = budgetBytes;
  for (const limitOf of [({ wanted, minimum }: PoolWish) => Math.min(wanted, minimum), ({ wanted }: PoolWish) => wanted]) {
    for (;;) {
      const next = poorest(wishes, sizes, limitOf, left);
      if (next === undefined) break;
      sizes.set(next.key, (sizes.get(next.key) ?? 0) + 1);
      left -= next.bytesEach;
    }
  }
  return sizes;
}

/** The pool that has the smallest part of what it may have, and room for one more. */
function poorest(
  wishes: readonly PoolWish[],
  sizes: ReadonlyMap<string, number>,
  limitOf: (wish: PoolWish) => number,
  left: number,
): PoolWish | undefined {
  let [found, least]: [PoolWish | undefined, number] = [undefined, Infinity];
  for (const wish of wishes) {
    const [size, limit] = [sizes.get(wish.key) ?? 0, limitOf(wish)];
    if (size >= limit || wish.bytesEach > left || size / limit >= least) continue;
    [found, least] = [wish, size / limit];
  }
  return found;
}
