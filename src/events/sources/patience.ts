import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after so long, or when the signal aborts. */
export const patience = (ms: number, signal: AbortSignal): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
