/** How a function's starts went lately. Pure. */
import { type ColdPhase, coldPhases, totalMs, waitedPhases } from '../model/phases.ts';
import type { Trace } from '../wire/relay-calls.ts';

export interface Percentiles {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

export interface PhaseSummary {
  readonly phase: ColdPhase;
  /** What requests waited for. */
  readonly waited: Percentiles;
  /** What had been done ahead. */
  readonly prepaid: Percentiles;
}

export interface ColdStartSummary {
  /** Cold starts that were looked at. */
  readonly count: number;
  /** All phases together, as requests waited for them. */
  readonly waited: Percentiles;
  readonly phases: readonly PhaseSummary[];
}

/** Sums up the cold ones among these reports. */
export function summariseStarts(traces: readonly Trace[]): ColdStartSummary {
  const starts = traces.flatMap(({ report: { coldStart } }) => (coldStart === undefined ? [] : [coldStart]));
  const waited = starts.map(({ spans }) => waitedPhases(spans));
  return {
    count: starts.length,
    waited: percentiles(waited.map(totalMs)),
    phases: coldPhases.map((phase) => ({
      phase,
      waited: percentiles(waited.map((phases) => phases[phase])),
      prepaid: percentiles(starts.map(({ prepaid }) => prepaid[phase])),
    })),
  };
}

/** The slowest first, each request once. */
export function slowestOf(traces: readonly Trace[], limit: number): Trace[] {
  const byRequest = new Map(traces.map((trace) => [trace.requestId, trace]));
  return [...byRequest.values()].sort((one, other) => other.report.totalMs - one.report.totalMs).slice(0, limit);
}

function percentiles(values: readonly number[]): Percentiles {
  const sorted = values.toSorted((one, other) => one - other);
  return { p50Ms: rankOf(sorted, 0.5), p95Ms: rankOf(sorted, 0.95) };
}

/** By nearest rank; 0 of nothing. */
const rankOf = (sorted: readonly number[], share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
