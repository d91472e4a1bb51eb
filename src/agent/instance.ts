import type { FunctionConfig, Version } from '../model/function.ts';
import type { EndReason } from './end-reason.ts';
import { type Lease, slotsIn } from './leases.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { StartTimes } from '../model/phases.ts';

/** Where an instance is in its life; see docs/keeping-warm.md. */
export type InstanceState =
  | { readonly kind: 'starting' }
  /** Gateways have leases on its slots: one on all of them, or several on some each. */
  | { readonly kind: 'leased'; readonly leases: readonly Lease[] }
  | RestingState
  /** Its processes are being ended, and why. */
  | { readonly kind: 'ending'; readonly reason: EndReason | undefined };

/** Nobody holds a lease on it; `since` is when its last request ended. */
export type RestingState =
  /**
   * Ready to be leased. `isQuiet` once its runtime said that nothing of a request goes on in it. `isLeft`: nobody gave it back, so that a gateway
   * may be there that still has it; where there are several, another one gets it only once it is quiet.
   */
  | { readonly kind: 'idle'; readonly since: number; readonly isQuiet: boolean; readonly isLeft?: boolean }
  /** Its processes do not run. It was quiet before. */
  | { readonly kind: 'frozen'; readonly since: number }
  /** Frozen, and what only it has lies in swap. */
  | { readonly kind: 'hibernated'; readonly since: number }
  /** A one-shot one that has had its request: nobody gets it any more. */
  | { readonly kind: 'spent'; readonly since: number; readonly isQuiet: boolean };

/** A running copy of one version. Times are milliseconds of the agent's monotonic clock. */
export interface Instance {
  readonly id: string;
  readonly version: Version;
  readonly sandbox: Sandbox;
  readonly startedAt: string;
  /** Which values of its secrets it has. */
  readonly secretStamp: string;
  /** How long it may take to end once it is told so; 0: it is ended without a word. */
  readonly farewellMs: number;
  state: InstanceState;
}

/** What a gateway gets of one. */
export interface Acquired {
  readonly instance: Instance;
  /** Places for concurrent requests that the gateway gets. */
  readonly slots: number;
  readonly start: 'warm' | 'thawed' | 'awakened' | 'cold';
  readonly times: StartTimes;
}

export function isResting(state: InstanceState): state is RestingState {
  return state.kind === 'idle' || isStill(state) || state.kind === 'spent';
}

type StillState = Extract<InstanceState, { readonly kind: 'frozen' | 'hibernated' }>;

/** Whether none of its processes runs. */
export const isStill = (state: InstanceState): state is StillState => state.kind === 'frozen' || state.kind === 'hibernated';

/** Whether nothing of a request goes on in it. */
export const isQuiet = (state: RestingState): boolean => isStill(state) || state.isQuiet;

/** What becomes of an instance whose lease is over. Whether a one-shot one has had its request nobody knows: it may have. */
export const afterLease = ({ process }: Pick<FunctionConfig, 'process'>, since: number): RestingState => ({
  kind: process === 'one-shot' ? 'spent' : 'idle',
  since,
  isQuiet: false,
});

/** What becomes of one whose lease nobody ended: its gateway is gone, or has not renewed it. */
export function afterLapse({ process }: Pick<FunctionConfig, 'process'>, since: number): RestingState {
  return process === 'one-shot' ? { kind: 'spent', since, isQuiet: false } : { kind: 'idle', since, isQuiet: false, isLeft: true };
}

/** Slots that nobody has, of one that some gateway has. */
export const spareSlots = ({ state, version }: Pick<Instance, 'state' | 'version'>): number =>
  state.kind === 'leased' && version.config.process === 'resident' ? version.config.concurrency - slotsIn(state.leases) : 0;

/** Whether it is one that a version's provisioned instances are counted of: a one-shot one that is in use is as good as gone. */
export function isThere({ state, version }: Pick<Instance, 'state' | 'version'>): boolean {
  if (state.kind === 'leased') return version.config.process === 'resident';
  return state.kind !== 'spent' && state.kind !== 'ending';
}

/**
 * The best instance of a version that nobody holds: one that is ready, else the one that was frozen last, so that others grow old, else the one
 * that was hibernated last.
 * @param isStale whether it has a value of a secret that was rotated since: nobody is to get it any more
 */
export function bestResting(
  instances: Iterable<Instance>,
  { tenant, function: name, number }: Version,
  isStale: (instance: Instance) => boolean,
): Instance | undefined {
  let best: { readonly instance: Instance; readonly state: StillState } | undefined;
  for (const instance of instances) {
    const { state, version } = instance;
    if (version.number !== number || version.function !== name || version.tenant !== tenant || isStale(instance)) continue;
    // The oldest comes first: those that are provisioned are used before others.
    if (state.kind === 'idle') return instance;
    if (isStill(state) && (best === undefined || isBetter(state, best.state))) best = { instance, state };
  }
  return best?.instance;
}

const isBetter = (one: StillState, other: StillState): boolean =>
  one.kind === other.kind ? one.since > other.since : one.kind === 'frozen';

/** The one that nobody has had for longest, and in which nothing goes on. @param mayEnd which of them may be ended */
export function longestResting(instances: Iterable<Instance>, mayEnd: (instance: Instance) => boolean): Instance | undefined {
  let longest: { readonly instance: Instance; readonly since: number } | undefined;
  for (const instance of instances) {
    const { state } = instance;
    if (!isResting(state) || !isQuiet(state) || (longest !== undefined && state.since >= longest.since) || !mayEnd(instance)) continue;
    longest = { instance, since: state.since };
  }
  return longest?.instance;
}
