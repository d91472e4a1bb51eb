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
