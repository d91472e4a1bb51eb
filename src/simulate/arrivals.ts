/** When a function's requests come and how long each takes, in the order of time. */
import type { Random } from './random.ts';
import type { Quantile, SimulatedFunction } from './traffic.ts';

/** Where in their minute requests come: by chance (as independent callers do), evenly, or all at its start. */
export const spreads = ['random', 'even', 'start'] as const;
export type Spread = (typeof spreads)[number];

const minuteMs = 60_000;

/** Calls for each request; nothing is kept of them, since there are millions. */
export class Arrivals {
  readonly #of: SimulatedFunction;
  readonly #spread: Spread;
  readonly #random: Random;
  #minute = -1;
  #times: Float64Array = new Float64Array();
  #at = 0;
  /** Of the request that is next; infinite when there is none. */
  atMs = 0;
  durationMs = 0;

  constructor(of: SimulatedFunction, spread: Spread, random: Random) {
    this.#of = of;
    this.#spread = spread;
    this.#random = random;
    this.next();
  }

  next(): void {
    const { requests, durations } = this.#of;
    if (requests.kind === 'times') {
      const request = requests.all[this.#at++];
      this.atMs = request?.atMs ?? Infinity;
      this.durationMs = request?.durationMs ?? 0;
      return;
    }
    while (this.#at >= this.#times.length) {
      this.#minute += 1;
      this.#at = 0;
      if (this.#minute >= requests.counts.length) {
        this.atMs = Infinity;
        return;
      }
      this.#times = timesIn(this.#minute, requests.counts[this.#minute] ?? 0, this.#spread, this.#random);
    }
    this.atMs = this.#times[this.#at++] ?? Infinity;
    this.durationMs = durationAt(durations, this.#random());
  }
}

function timesIn(minute: number, count: number, spread: Spread, random: Random): Float64Array {
  const times = new Float64Array(count);
  for (let at = 0; at < count; at++) {
    const place = spread === 'random' ? random() : spread === 'even' ? (at + 0.5) / count : 0;
    times[at] = (minute + place) * minuteMs;
  }
  return spread === 'random' ? times.sort() : times;
}

/** Between two percentiles a duration lies on the straight line. */
export function durationAt(quantiles: readonly Quantile[], share: number): number {
  let before: Quantile | undefined;
  for (const quantile of quantiles) {
    if (share <= quantile.share) {
      if (before === undefined || quantile.share === before.share) return quantile.ms;
      return before.ms + ((quantile.ms - before.ms) * (share - before.share)) / (quantile.share - before.share);
    }
    before = quantile;
  }
  return before?.ms ?? 0;
}
