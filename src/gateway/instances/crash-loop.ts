/**
 * Whether a version crashes in a loop: its instances start well, and end with the requests that they get. Pure.
 *
 * Crashes are in a row when nothing was answered between them. Those of instances that were there together count once: one bad request may be
 * sent many times at once. After the third in a row starts pause as they do after a start that fails (100 ms, twice as long each time, 10 s at
 * most), and then one at a time tries. The first answer, be it an error that was thrown, ends it, and so does a minute without a crash.
 */
import { pauseAfterFailures } from '../../model/back-off.ts';

export interface Crashes {
  readonly inARow: number;
  readonly atMs: number;
}

export const noCrashes: Crashes = { inARow: 0, atMs: Number.NEGATIVE_INFINITY };

const tolerated = 2;
const rememberedMs = 60_000;

/** What one more makes of it. @param sinceMs when the gateway got the instance that ended */
export function oneMore(before: Crashes, sinceMs: number, nowMs: number): Crashes {
  if (sinceMs <= before.atMs) return before;
  return { inARow: nowMs - before.atMs > rememberedMs ? 1 : before.inARow + 1, atMs: nowMs };
}

/** How long nothing is started after the last one. */
export const pauseAfterCrashes = ({ inARow }: Crashes): number => pauseAfterFailures(Math.max(0, inARow - tolerated));

/** How many may start at once. */
export const startsAtOnce = ({ inARow }: Crashes): number => (inARow > tolerated ? 1 : Number.POSITIVE_INFINITY);
