/** Nearest-rank percentile. @param sorted ascending @param p from 0 to 100 @returns NaN when there are no samples */
export function percentile(sorted: readonly number[], p: number): number {
  const rank = Math.max(1, Math.ceil((p / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export function summarise(samples: readonly number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (p: number) => percentile(sorted, p);
  return { count: sorted.length, min: at(0), p50: at(50), p99: at(99), max: at(100) };
}

export const median = (samples: readonly number[]): number => summarise(samples).p50;

export interface Sample {
  readonly atMs: number;
  readonly value: number;
}

/**
 * How much a value grew over a run, without the waves of garbage collection: the least value of the last fifth against the
 * least of the first fifth.
 */
export function growth(samples: readonly Sample[]): number {
  const first = samples[0]?.atMs ?? 0;
  const last = samples.at(-1)?.atMs ?? 0;
  const fifth = (last - first) / 5;
  const least = (inPart: (atMs: number) => boolean) => Math.min(...samples.filter(({ atMs }) => inPart(atMs)).map(({ value }) => value));
  return least((atMs) => atMs >= last - fifth) - least((atMs) => atMs <= first + fifth);
}
