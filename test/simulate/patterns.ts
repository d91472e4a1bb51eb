/** Loads to scale by: requests at a rate that changes with time, each of the same length. */
import { functionConfigSchema } from '../../src/model/function.ts';
import { emptyOutcome, type Outcome } from '../../src/simulate/outcome.ts';
import type { Policy } from '../../src/simulate/policy.ts';
import { simulateFunction } from '../../src/simulate/simulate-function.ts';
import type { Traffic } from '../../src/simulate/traffic.ts';

export const settings = { starts: { p50Ms: 5, p95Ms: 15, thawMs: 1 }, spread: 'random' as const, seed: '1' };

export const policyOf = (config: object = {}, isScaled = true): Policy => ({
  name: 'tested',
  isScaled,
  config: functionConfigSchema.parse({ maximum: 1_000, queueLength: 100_000, ...config }),
});

/** Requests one after the other, as far apart as the rate says where each comes. @param rateAt requests a second, by the second */
export function traffic(rateAt: (second: number) => number, seconds: number, durationMs: number): Traffic {
  const all: { atMs: number; durationMs: number }[] = [];
  for (let atMs = 0, due = 0; atMs < seconds * 1_000; atMs++) {
    for (due += rateAt(atMs / 1_000) / 1_000; due >= 1; due--) all.push({ atMs, durationMs });
  }
  return { functions: [{ name: 'f', requests: { kind: 'times', all }, durations: [], memoryMiB: 128 }], lengthMs: seconds * 1_000 };
}

export const sine = (mean: number, swing: number, periodSeconds: number) => (second: number) =>
  mean + swing * Math.sin((2 * Math.PI * second) / periodSeconds);

export const steps =
  (low: number, high: number, eachSeconds: number) =>
  (second: number): number =>
    Math.floor(second / eachSeconds) === 1 ? high : low;

export interface Ran {
  readonly outcome: Outcome;
  readonly overIdeal: number;
}

export function ran({ functions, lengthMs }: Traffic, policy: Policy): Ran {
  const outcome = emptyOutcome(lengthMs);
  for (const one of functions) simulateFunction(one, { ...settings, policy, lengthMs }, outcome);
  return { outcome, overIdeal: outcome.instanceMs / outcome.idealMs };
}
