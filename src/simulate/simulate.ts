/** All functions of a traffic under one policy. They have nothing in common but the clock. */
import type { Spread } from './arrivals.ts';
import { emptyOutcome, type Outcome } from './outcome.ts';
import type { Policy } from './policy.ts';
import { simulateFunction } from './simulate-function.ts';
import type { StartTimeModel } from './start-times.ts';
import type { Traffic } from './traffic.ts';

export interface SimulationSettings {
  readonly starts: StartTimeModel;
  readonly spread: Spread;
  /** The same seed gives the same outcome, to the last bit. */
  readonly seed: string;
}

export function simulate({ functions, lengthMs }: Traffic, policy: Policy, settings: SimulationSettings): Outcome {
  const outcome = emptyOutcome(lengthMs);
  for (const one of functions) simulateFunction(one, { ...settings, policy, lengthMs }, outcome);
  return outcome;
}
