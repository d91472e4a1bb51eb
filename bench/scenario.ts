import type { Figure } from './figure.ts';
import type { Isolation } from './isolation.ts';
import type { BenchPlatform, PlatformOptions } from './platform.ts';

/** What the bench gives to a scenario. */
export interface BenchContext {
  /** Fewer samples and shorter loads: to see that everything works, not to be quoted. */
  readonly quick: boolean;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
  /** A platform of the scenario’s own, to be used with `await using`. */
  readonly startPlatform: (options: PlatformOptions) => Promise<BenchPlatform>;
  /** What is being done now, for whoever watches. */
  readonly progress: (text: string) => void;
}

export interface Result {
  readonly figures: readonly Figure[];
  readonly isolation: Isolation;
  /** Warm sandboxes kept during the measurement. */
  readonly poolSize: number;
  /** What a reader must know to judge the figures. */
  readonly notes: readonly string[];
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Whether `npm run bench` runs it without being asked by name. */
  readonly byDefault: boolean;
  run(context: BenchContext): Promise<Result>;
}
