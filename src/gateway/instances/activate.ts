/** How many instances to ask for. Pure. */

export interface Demand {
  readonly waiting: number;
  /** Of those who wait, so many will have a place before an instance could be there that is asked for now. */
  readonly soonServed: number;
  /** Instances asked for and not there yet. */
  readonly starting: number;
  readonly instances: number;
  /** Requests one instance takes at once. */
  readonly slots: number;
  readonly maximum: number;
}

/** One instance for every `slots` requests that will still wait, less those that come already, within the maximum. */
export function startsWanted({ waiting, soonServed, starting, instances, slots, maximum }: Demand): number {
  const needed = Math.ceil(Math.max(0, waiting - soonServed) / slots) - starting;
  return Math.max(0, Math.min(needed, maximum - instances - starting));
}

/** Of the starts under way so many that nobody needs: whom they were for has found another place, or is gone. */
export const startsToSpare = ({ waiting, starting, slots }: Pick<Demand, 'waiting' | 'starting' | 'slots'>): number =>
  Math.max(0, starting - Math.ceil(waiting / slots));

/** How places come free at the instances that there are. */
export interface Turnover {
  /** Requests that instances have. */
  readonly busy: number;
  /** How long a request takes lately, and how long a start takes; undefined while nobody knows. */
  readonly requestMs: number | undefined;
  readonly startMs: number | undefined;
  /** Since when no request has ended. */
  readonly silentMs: number;
}

/** Nobody is made to wait for longer on the word of an average. */
const longestMs = 10;
/** What takes less is not told from the way there and back. */
const shortestMs = 0.1;

/** For how long it is worth waiting for a place that comes free: as long as a start takes, and not long. */
export const foreseeableMs = (startMs: number | undefined): number => Math.min(startMs ?? 0, longestMs);

/**
 * How many places come free before an instance could be there: as many as requests end in that time (Little's law). None when nothing has
 * ended for as long as a request takes: what is under way then takes longer than usual.
 */
export function soonFree({ busy, requestMs, startMs, silentMs }: Turnover): number {
  if (requestMs === undefined || silentMs > requestMs) return 0;
  return Math.floor((busy * foreseeableMs(startMs)) / Math.max(requestMs, shortestMs));
}
