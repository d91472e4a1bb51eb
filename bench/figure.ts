/** What a scenario measures, and how it is judged. */

/** A bound on the figure’s ratio to its baseline, or on the figure itself when it has none. */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

export interface Figure {
  /** What of the scenario this is: `p50`, `requests/s against functions-framework`. */
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'µs' | 'requests/s' | 'events/s' | 'starts/s' | 'MiB' | 'count';
  readonly samples: number;
  /** Measured in the same run, in the same unit. */
  readonly baseline?: { readonly name: string; readonly value: number };
  /** Absent: stated for information. */
  readonly target?: Target;
}

export type Verdict = 'reached' | 'missed' | 'stated';

export const ratioOf = ({ value, baseline }: Figure): number | undefined => (baseline === undefined ? undefined : value / baseline.value);

/** Figures that are not numbers (nothing was answered) miss every target. */
export function verdictOn(figure: Figure): Verdict {
  const { target } = figure;
  if (target === undefined) return 'stated';
  const judged = ratioOf(figure) ?? figure.value;
  const reached = 'atMost' in target ? judged <= target.atMost : judged >= target.atLeast;
  return reached ? 'reached' : 'missed';
}
