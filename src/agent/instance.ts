import type { Version } from '../model/function.ts';
import type { Peer } from '../wire/calls.ts';
import type { EndReason } from './end-reason.ts';
import type { Sandbox } from './sandbox/sandbox.ts';

/** Where an instance is in its life. A later level of rest (frozen, hibernated) is one more member. */
export type InstanceState =
  | { readonly kind: 'starting' }
  /** A gateway holds the lease on all its slots; it ends by itself at `until`. */
  | { readonly kind: 'leased'; readonly holder: Peer; readonly until: number }
  /** Nobody holds it; `since` is when its last request ended. */
  | { readonly kind: 'idle'; readonly since: number }
  /** Its processes are being ended, and why. */
  | { readonly kind: 'ending'; readonly reason: EndReason | undefined };

/** A running copy of one version. Times are milliseconds of the agent's monotonic clock. */
export interface Instance {
  readonly id: string;
  readonly version: Version;
  readonly sandbox: Sandbox;
  readonly startedAt: string;
  state: InstanceState;
}

/** A lease that was not renewed in time, or whose holder is gone, is nobody's: the instance is idle from now on. */
export function expireLease(state: InstanceState, now: number): InstanceState {
  if (state.kind !== 'leased') return state;
  return state.holder.signal.aborted || state.until <= now ? { kind: 'idle', since: now } : state;
}

/** What an idle instance's fate depends on. */
export interface IdleFacts {
  readonly serving: boolean;
  readonly idleForMs: number;
  readonly idleLimitMs: number;
  /** Instances of its version that are not ending, itself included. */
  readonly alive: number;
  readonly minimum: number;
}

/** Whether an idle instance is to end: at once when its version serves no more, else after its idle time, down to the minimum. */
export const isReclaimable = ({ serving, idleForMs, idleLimitMs, alive, minimum }: IdleFacts): boolean =>
  !serving || (idleForMs >= idleLimitMs && alive > minimum);
