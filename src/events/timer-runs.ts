/** Which runs of a timer are due. Pure: the time is given. */
import * as limits from '../model/limits.ts';
import { nextRunMs } from '../model/schedule.ts';
import type { Timer } from '../model/timer.ts';

/** A run that is later than this was missed. Until then it is only late, and is carried out whatever the timer's policy. */
export const missedAfterMs = 60_000;

/** Where a timer stands. */
export interface TimerPlace {
  readonly sinceMs: number;
  readonly nextMs: number;
}

export interface TimerRuns {
  /** Scheduled times, in their order. */
  readonly dueMs: readonly number[];
  /** The next one after them. */
  readonly nextMs: number | undefined;
  /** Whether runs were missed that nothing makes up for. */
  readonly hasSkipped: boolean;
}

/** The runs of a timer that are due now, with what its policy makes of those that were missed. */
export function runsDue(timer: Timer, { sinceMs, nextMs: firstMs }: TimerPlace, nowMs: number): TimerRuns {
  const after = (ms: number) => nextRunMs(timer, ms, sinceMs);
  const presentMs = nowMs - missedAfterMs;
  const isMissed = firstMs < presentMs;
  const dueMs: number[] = isMissed && timer.missed === 'once' ? [firstMs] : [];
  let nextMs: number | undefined = isMissed && timer.missed !== 'all' ? after(presentMs - 1) : firstMs;
  while (nextMs !== undefined && nextMs <= nowMs && dueMs.length < limits.maxMissedRuns) {
    dueMs.push(nextMs);
    nextMs = after(nextMs);
  }
  const isCut = nextMs !== undefined && nextMs <= nowMs;
  return { dueMs, nextMs: isCut ? after(nowMs) : nextMs, hasSkipped: isCut || (isMissed && timer.missed === 'skip') };
}
