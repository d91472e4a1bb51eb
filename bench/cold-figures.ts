import type { ColdStart } from './cold-starts.ts';
import type { Figure } from './figure.ts';
import { median, summarise } from './statistics.ts';

/** What a cold start is compared with: the interpreter alone. */
export type BareStart = 'bare Node.js start' | 'python3 -c pass';
const usual: BareStart = 'bare Node.js start';

/**
 * @param starts the cold starts
 * @param bare milliseconds of each bare start; both percentiles are compared with its median
 * @param atMost the ratios to reach; a percentile without one is stated only
 */
export function coldFigures(
  starts: readonly ColdStart[],
  bare: readonly number[],
  atMost: { readonly p50?: number; readonly p99?: number },
  baselineName: BareStart = usual,
): Figure[] {
  const summary = summarise(starts.map(({ tookMs }) => tookMs));
  return (['p50', 'p99'] as const).map((what) => {
    const bound = atMost[what];
    return {
      what,
      value: summary[what],
      unit: 'ms',
      samples: summary.count,
      baseline: { name: baselineName, value: median(bare) },
      ...(bound === undefined ? {} : { target: { atMost: bound } }),
    };
  });
}

export const bareNote = (bare: readonly number[], baselineName: BareStart = usual): string => {
  const { count, min, p99 } = summarise(bare);
  return `${baselineName}: ${count} samples between the cold starts, ${min.toFixed(1)} ms at least, p99 ${p99.toFixed(1)} ms`;
};
