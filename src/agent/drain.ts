/** The graceful part of an agent's end: when all of its instances end with it, and when another agent takes them over. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Instance } from './instance.ts';

const lookEveryMs = 20;

export interface DrainMeans {
  readonly instances: { readonly all: Iterable<Instance> };
  /** Tells the gateway that has an instance to send it no more requests, and to give it back. Told again, that costs nothing. */
  readonly retire: (instance: Instance) => void;
}

/** No instance gets requests any more, and each may answer those that it has. @returns when no gateway has an instance any more, or the time is over */
export async function drain({ instances, retire }: DrainMeans, graceOver: AbortSignal): Promise<void> {
  for (;;) {
    const leased = [...instances.all].filter(
      ({ state }) => state.kind === 'leased' && state.leases.some(({ holder }) => !holder.signal.aborted),
    );
    if (leased.length === 0 || graceOver.aborted) return;
    for (const instance of leased) retire(instance);
    await pause(lookEveryMs, undefined, { signal: graceOver }).catch(() => undefined);
  }
}

/** Instances go on, and their gateways with them: only what is being started is waited for. @returns when nothing is, or the time is over */
export async function settle(
  { instances }: { readonly instances: { readonly areStarting: boolean } },
  graceOver: AbortSignal,
): Promise<void> {
  // Looked at after a while at the earliest: who asked last is to hear of his instance.
  do await pause(lookEveryMs, undefined, { signal: graceOver }).catch(() => undefined);
  while (instances.areStarting && !graceOver.aborted);
}
