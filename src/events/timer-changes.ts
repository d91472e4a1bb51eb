/** What a new state of the functions means for their timers. Pure: the time is given. */
import type { Version } from '../model/function.ts';
import { nextRunMs, timerFault } from '../model/schedule.ts';
import type { Timer } from '../model/timer.ts';
import type { TimerProgress, TimerRef } from './timer-store.ts';

export interface TimerChanges {
  readonly changed: readonly TimerProgress[];
  readonly gone: readonly TimerRef[];
}

/** Names a timer over the whole platform. */
export const timerKey = ({ tenant, function: name, timer }: TimerRef): string => `${tenant}/${name}/${timer}`;

/** A timer that is declared as it was goes on; one that is declared otherwise begins anew, now. */
export function timerChanges(known: readonly TimerProgress[], functions: Iterable<Version>, nowMs: number): TimerChanges {
  const before = new Map(known.map((progress) => [timerKey(progress), progress]));
  const changed: TimerProgress[] = [];
  for (const { tenant, function: name, config } of functions) {
    for (const [timer, declaration] of Object.entries(config.timers)) {
      const ref = { tenant, function: name, timer };
      const declared = JSON.stringify(declaration);
      if (before.get(timerKey(ref))?.declared !== declared) changed.push(begun(ref, declaration, declared, nowMs));
      before.delete(timerKey(ref));
    }
  }
  return { changed, gone: [...before.values()] };
}

const begun = (ref: TimerRef, timer: Timer, declared: string, nowMs: number): TimerProgress => ({
  ...ref,
  declared,
  sinceMs: nowMs,
  lastMs: undefined,
  // What an older release accepted and this one does not know, a zone for one, must not hold up all others.
  nextMs: timerFault(timer) === undefined ? nextRunMs(timer, nowMs, nowMs) : undefined,
});
