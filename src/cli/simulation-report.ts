/** What simulations came to, side by side. */
import { instancesBySecond, type Outcome, waitOf } from '../simulate/outcome.ts';

export interface SimulationReport {
  readonly policy: string;
  readonly requests: number;
  readonly cold: number;
  readonly thawed: number;
  readonly starts: number;
  readonly refused: number;
  /** Of those that waited. */
  readonly waitP50Ms: number;
  readonly waitP99Ms: number;
  readonly waitedSeconds: number;
  readonly instanceSeconds: number;
  /** Times the least that could have taken what came. */
  readonly overIdeal: number;
  /** Memory of instances without a request. */
  readonly wastedGiBHours: number;
  readonly peakInstances: number;
}

const seconds = 1_000;
const gibibyteHours = 1_024 * 3_600 * seconds;
const [median, high] = [0.5, 0.99];

export function reportOf(policy: string, outcome: Outcome): SimulationReport {
  const { requests, cold, thawed, starts, refused, waits, instanceMs, idealMs, wastedMiBMs } = outcome;
  return {
    policy,
    requests,
    cold,
    thawed,
    starts,
    refused,
    waitP50Ms: waitOf(outcome, median),
    waitP99Ms: waitOf(outcome, high),
    waitedSeconds: waits.reduce((sum, ms) => sum + ms, 0) / seconds,
    instanceSeconds: instanceMs / seconds,
    overIdeal: idealMs === 0 ? 0 : instanceMs / idealMs,
    wastedGiBHours: wastedMiBMs / gibibyteHours,
    peakInstances: instancesBySecond(outcome).reduce((most, there) => Math.max(most, there), 0),
  };
}

/** Instances over time in so many columns, the most of each. */
export function columnsOf(outcome: Outcome, columns: number): number[] {
  const bySecond = instancesBySecond(outcome);
  const last = bySecond.length - 2;
  return Array.from({ length: Math.min(columns, last) }, (_, at) => {
    const [from, to] = [Math.floor((at * last) / Math.min(columns, last)), Math.floor(((at + 1) * last) / Math.min(columns, last))];
    return bySecond.subarray(from, Math.max(from + 1, to)).reduce((most, there) => Math.max(most, there), 0);
  });
}
