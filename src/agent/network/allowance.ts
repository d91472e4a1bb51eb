/** What one sandbox may have of connections, so that all instances of its function leave most of the host's table to others. Pure. */
import { closedConnectionSeconds, functionConnectionShare, sandboxConnections, sandboxNewConnections } from '../../model/limits.ts';

/** By what the usual limits of a sandbox may be divided: few, since each has rules of its own. */
export const divisors = [1, 4, 16, 64] as const;
export type Divisor = (typeof divisors)[number];

export interface Allowance {
  readonly connections: number;
  readonly perSecond: number;
  readonly burst: number;
}

export const allowanceOf = (divisor: Divisor): Allowance => ({
  connections: sandboxConnections / divisor,
  perSecond: Math.floor(sandboxNewConnections.perSecond / divisor),
  burst: Math.floor(sandboxNewConnections.burst / divisor),
});

/** What a sandbox can take of the host's table at once: what is open, and what was closed and is not forgotten yet. */
const placesOf = ({ connections, perSecond, burst }: Allowance): number => connections + burst + perSecond * closedConnectionSeconds;

/**
 * The smallest divisor with which a function's share of the host's table is enough for all its sandboxes here; else the largest.
 * @param sandboxes of the function, on this host, at most
 * @param hostPlaces how many connections the host's table takes
 */
export function divisorFor(sandboxes: number, hostPlaces: number): Divisor {
  const places = (hostPlaces * functionConnectionShare) / sandboxes;
  return divisors.find((divisor) => placesOf(allowanceOf(divisor)) <= places) ?? 64;
}
