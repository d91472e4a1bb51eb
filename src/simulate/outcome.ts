/** What a simulation has counted. */
export interface Outcome {
  requests: number;
  /** Requests that waited for an instance that was being started. */
  cold: number;
  /** Requests that found a frozen one. */
  thawed: number;
  /** Instances that were started, for a request or ahead of one. */
  starts: number;
  /** Requests that were not let in, since too many waited. */
  refused: number;
  /** Milliseconds that each request waited that did. */
  readonly waits: number[];
  /** Milliseconds of instances, from the beginning of their start to their end; and the same of those that had a request. */
  instanceMs: number;
  usedMs: number;
  /** The least milliseconds of instances that could have taken what came: at each moment the load over the concurrency, rounded up. */
  idealMs: number;
  /** MiB times milliseconds of instances that had no request. */
  wastedMiBMs: number;
  /** How many instances more than in the second before, for each second. */
  readonly changes: Int32Array;
}

export const emptyOutcome = (lengthMs: number): Outcome => ({
  requests: 0,
  cold: 0,
  thawed: 0,
  starts: 0,
  refused: 0,
  waits: [],
  instanceMs: 0,
  usedMs: 0,
  idealMs: 0,
  wastedMiBMs: 0,
  changes: new Int32Array(Math.ceil(lengthMs / 1_000) + 2),
});

/** Instances in each second. */
export function instancesBySecond({ changes }: Pick<Outcome, 'changes'>): Int32Array {
  let there = 0;
  return changes.map((change) => (there += change));
}

/** A share of the waits lies at or below it; 0 when nobody waited. */
export function waitOf({ waits }: Pick<Outcome, 'waits'>, share: number): number {
  const sorted = Float64Array.from(waits).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
