/** What becomes of an instance that nobody uses. Pure. */
import { isQuiet, isStill, type RestingState } from './instance.ts';

export interface RestFacts {
  readonly state: RestingState;
  /** Whether its version serves its function. */
  readonly serving: boolean;
  /** One of those that its function always has. */
  readonly isProvisioned: boolean;
  /** What ending it would do to the number that the autoscaler wants: miss it, or come nearer to it. */
  readonly isWanted: boolean;
  readonly isTooMany: boolean;
  /** Whether this host can freeze. */
  readonly canFreeze: boolean;
  /** How long it may rest before it is frozen, before what it has in memory goes to swap (infinite where that cannot be), and before it is ended. */
  readonly freezeMs: number;
  readonly hibernateMs: number;
  readonly idleMs: number;
  /** How long one that is too many may rest. */
  readonly surplusMs: number;
  /** How long a request may take, and with it what goes on after its answer. */
  readonly timeoutMs: number;
}

export type Fate = 'stay' | 'freeze' | 'hibernate' | 'thaw' | 'end';

/**
 * Ended is what serves no more, or has rested for its idle time, or for less if it is too many: once it is quiet, or after the time that a
 * request may take, for one that never says so. Frozen is only what is known to be quiet: nothing of a request may be stopped. Hibernated is
 * only what is frozen.
 */
export function fateOf(facts: RestFacts, now: number): Fate {
  const { state, serving, isProvisioned, canFreeze, freezeMs, hibernateMs, timeoutMs } = facts;
  const restedMs = now - state.since;
  const mayEnd = state.kind === 'spent' || !serving || (!isProvisioned && restedMs >= keptMs(facts));
  if (mayEnd && (isQuiet(state) || restedMs >= timeoutMs)) return 'end';
  if (isStill(state)) {
    if (isProvisioned) return 'thaw';
    return state.kind === 'frozen' && restedMs >= hibernateMs ? 'hibernate' : 'stay';
  }
  return state.kind === 'idle' && canFreeze && isQuiet(state) && !isProvisioned && !mayEnd && restedMs >= freezeMs ? 'freeze' : 'stay';
}

/** For how long one that is not provisioned may rest. */
const keptMs = ({ isWanted, isTooMany, idleMs, surplusMs }: RestFacts): number =>
  isWanted ? Infinity : isTooMany ? Math.min(surplusMs, idleMs) : idleMs;

/** How long a gateway keeps an instance without requests, before it gives the lease back so that the agent can do one or the other. */
export const idleLimitMs = ({ canFreeze, freezeMs, idleMs }: Pick<RestFacts, 'canFreeze' | 'freezeMs' | 'idleMs'>): number =>
  canFreeze ? Math.min(freezeMs, idleMs) : idleMs;
