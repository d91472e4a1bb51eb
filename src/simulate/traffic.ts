/** What a simulation replays, function by function. */
export interface SimulatedFunction {
  readonly name: string;
  /** What it had to do. */
  readonly requests: RequestCounts | RequestTimes;
  /** Shares from 0 to 1 in ascending order, and how long as much of its requests takes at most. */
  readonly durations: readonly Quantile[];
  readonly memoryMiB: number;
}

export interface RequestCounts {
  readonly kind: 'minutes';
  /** Requests of each minute. */
  readonly counts: readonly number[];
}

export interface RequestTimes {
  readonly kind: 'times';
  /** In ascending order. */
  readonly all: readonly { readonly atMs: number; readonly durationMs: number }[];
}

export interface Quantile {
  readonly share: number;
  readonly ms: number;
}

export interface Traffic {
  readonly functions: readonly SimulatedFunction[];
  readonly lengthMs: number;
}
