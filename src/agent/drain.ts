/** The graceful part of an agent's stop: no instance gets requests any more, and each may answer those that it has. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Instance } from './instance.ts';

const lookEveryMs = 20;

export interface DrainMeans {
  readonly instances: { readonly all: Iterable<Instance> };
  /** Tells the gateway that has an instance to send it no more requests, and to give it back. Told again, that costs nothing. */
  readonly retire: (instance: Instance) => void;
}

/** @returns when no gateway has an instance any more, or the time is over */
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
