/** How many instances to ask for. */

export interface Demand {
  readonly waiting: number;
  /** Instances asked for and not there yet. */
  readonly starting: number;
  readonly instances: number;
  /** Requests one instance takes at once. */
  readonly slots: number;
  readonly maximum: number;
}

/** One instance for every `slots` waiting requests, less those that come already, within the maximum. */
export function startsWanted({ waiting, starting, instances, slots, maximum }: Demand): number {
  const needed = Math.ceil(waiting / slots) - starting;
  return Math.max(0, Math.min(needed, maximum - instances - starting));
}
