/** What becomes of an instance that nobody uses. Pure. */
import { isQuiet, type RestingState } from './instance.ts';

export interface RestFacts {
  readonly state: RestingState;
  /** Whether its version serves its function. */
  readonly serving: boolean;
  /** One of those that its function always has. */
  readonly isProvisioned: boolean;
  /** Whether this host can freeze. */
  readonly canFreeze: boolean;
  /** How long it may rest before it is frozen, and before it is ended. */
  readonly freezeMs: number;
  readonly idleMs: number;
  /** How long a request may take, and with it what goes on after its answer. */
  readonly timeoutMs: number;
}

export type Fate = 'stay' | 'freeze' | 'thaw' | 'end';

/**
 * Ended is what serves no more, or has rested for its idle time: once it is quiet, or after the time that a request may take, for one
 * that never says so. Frozen is only what is known to be quiet: nothing of a request may be stopped.
 */
export function fateOf(facts: RestFacts, now: number): Fate {
  const { state, serving, isProvisioned, canFreeze, freezeMs, idleMs, timeoutMs } = facts;
  const restedMs = now - state.since;
  const mayEnd = state.kind === 'spent' || !serving || (!isProvisioned && restedMs >= idleMs);
  if (mayEnd && (isQuiet(state) || restedMs >= timeoutMs)) return 'end';
  if (state.kind === 'frozen') return isProvisioned ? 'thaw' : 'stay';
  return state.kind === 'idle' && canFreeze && isQuiet(state) && !isProvisioned && !mayEnd && restedMs >= freezeMs ? 'freeze' : 'stay';
}

/** How long a gateway keeps an instance without requests, before it gives the lease back so that the agent can do one or the other. */
export const idleLimitMs = ({ canFreeze, freezeMs, idleMs }: Pick<RestFacts, 'canFreeze' | 'freezeMs' | 'idleMs'>): number =>
  canFreeze ? Math.min(freezeMs, idleMs) : idleMs;
