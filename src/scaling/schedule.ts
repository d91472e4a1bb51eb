/** Which of a function's schedules is in force. Pure. */
import { nextCronMs } from '../model/cron.ts';
import type { ScaleSchedule } from '../model/scale.ts';

export interface InForce {
  /** Of several that are in force, the last of the list; undefined when none is. */
  readonly schedule: ScaleSchedule | undefined;
  /** Until then the answer is the same, in ms since 1970. */
  readonly untilMs: number;
}

/** @param nowMs since 1970 */
export function scheduleAt(schedules: readonly ScaleSchedule[], nowMs: number): InForce {
  let inForce: InForce = { schedule: undefined, untilMs: Number.POSITIVE_INFINITY };
  for (const schedule of schedules) {
    // The first run whose time is not over: one that has begun, or the next one.
    const runMs = nextCronMs(schedule, nowMs - schedule.forMs) ?? Number.POSITIVE_INFINITY;
    const hasBegun = runMs <= nowMs;
    const untilMs = Math.min(inForce.untilMs, hasBegun ? runMs + schedule.forMs : runMs);
    inForce = { schedule: hasBegun ? schedule : inForce.schedule, untilMs };
  }
  return inForce;
}
