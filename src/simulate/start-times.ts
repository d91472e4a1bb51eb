/** How long starts take in a simulation: as they were measured on a host. */
import { normalOf, type Random } from './random.ts';

export interface StartTimeModel {
  /** Half of the starts take less. */
  readonly p50Ms: number;
  /** 95 of a hundred do. */
  readonly p95Ms: number;
  /** What a request waits for that finds a frozen instance. */
  readonly thawMs: number;
}

/** Standard deviations below which 95 % of a normal distribution lie. */
const deviationsOf95 = 1.6449;

/** A start's length: log-normal, through both percentiles. */
export function startTimeOf({ p50Ms, p95Ms }: StartTimeModel, random: Random): number {
  if (p50Ms <= 0) return 0;
  const spread = Math.log(Math.max(p95Ms, p50Ms) / p50Ms) / deviationsOf95;
  return spread === 0 ? p50Ms : p50Ms * Math.exp(spread * normalOf(random));
}
