/** Which gateway has how many of an instance's slots. Together they never have more than there are. Pure. */
import type { Peer } from '../wire/calls.ts';

export interface Lease {
  readonly holder: Peer;
  /** The gateway's process: by it, one that lost its connection and is back is known again. */
  readonly process: string | undefined;
  /** Places for concurrent requests. */
  readonly slots: number;
  /** It ends by itself then. */
  readonly until: number;
  /** Its holder's connection broke: it may be over with it. */
  readonly isLeft?: boolean;
}

export const slotsIn = (leases: readonly Lease[]): number => leases.reduce((sum, { slots }) => sum + slots, 0);

/** What a gateway has. */
export const leaseOf = (leases: readonly Lease[], holder: Peer): Lease | undefined => leases.find((lease) => lease.holder === holder);

/** A gateway gets slots beside those that it has. @param process what it says it is */
export function withSlots(leases: readonly Lease[], holder: Peer, slots: number, until: number, process = processOf(holder)): Lease[] {
  const others = leases.filter((lease) => lease.holder !== holder);
  return [...others, { holder, process, slots: slots + (leaseOf(leases, holder)?.slots ?? 0), until }];
}

/** A gateway gives slots back. @param slots absent: all that it has */
export function withoutSlots(leases: readonly Lease[], holder: Peer, slots = Infinity): Lease[] {
  return leases.flatMap((lease) => (lease.holder !== holder ? lease : lease.slots > slots ? { ...lease, slots: lease.slots - slots } : []));
}

/**
 * A gateway still has its slots, be it on another connection than before; or it says that it has them to an agent that knows nothing of it.
 * @param slots what it says; absent: all that nobody else has
 * @param all how many there are
 */
export function renewed(leases: readonly Lease[], holder: Peer, slots: number | undefined, all: number, until: number): Lease[] {
  const process = processOf(holder);
  const isIts = (lease: Lease) => lease.holder === holder || (process !== undefined && lease.process === process);
  const others = leases.filter((lease) => !isIts(lease));
  const left = all - slotsIn(others);
  const its = leases.find(isIts)?.slots ?? Math.min(slots ?? left, left);
  return its > 0 ? [...others, { holder, process, slots: its, until }] : others;
}

/** Those that hold still. One whose holder is gone is over, unless others have slots, too: then nobody knows whether its requests are. */
export function holding(leases: readonly Lease[], now: number, timeoutMs: number): Lease[] {
  const valid = leases.filter(({ until }) => until > now);
  if (!valid.some(({ holder }) => !holder.signal.aborted)) return [];
  return valid.map((lease) =>
    lease.holder.signal.aborted && lease.isLeft !== true ? { ...lease, isLeft: true, until: now + timeoutMs } : lease,
  );
}

function processOf({ greeting }: Peer): string | undefined {
  const known = typeof greeting === 'object' && greeting !== null && 'process' in greeting ? greeting.process : undefined;
  return typeof known === 'string' ? known : undefined;
}
