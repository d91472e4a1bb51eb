/**
 * How far each timer has come. Kept beside the events, since a run is accepted in one transaction with its timer's progress: there is
 * exactly one event for each timer and scheduled time, however many processes look at the clock, and over kills of any of them.
 */
import type { FunctionRef, NewEvent } from './event-log.ts';

export interface TimerRef extends FunctionRef {
  /** Its name among its function's timers. */
  readonly timer: string;
}

export interface TimerProgress extends TimerRef {
  /** What it was declared as when it got here. */
  readonly declared: string;
  /** When it was first seen so. */
  readonly sinceMs: number;
  /** The scheduled time of its last run. */
  readonly lastMs: number | undefined;
  /** The scheduled time of its next run; undefined when there is none any more. */
  readonly nextMs: number | undefined;
}

/** What a look at a timer comes to. */
export interface TimerStep {
  /** The events of its runs, in the order of their times. */
  readonly events: readonly NewEvent[];
  readonly lastMs: number | undefined;
  readonly nextMs: number | undefined;
}

export interface TimerStore {
  timers(): Promise<TimerProgress[]>;
  timersOf(ref: FunctionRef): Promise<TimerProgress[]>;
  /** Begins with new or changed timers, and forgets those that are gone. */
  replaceTimers(changed: readonly TimerProgress[], gone: readonly TimerRef[]): Promise<void>;
  /** Timers whose next run is due, those due first first. */
  timersDue(nowMs: number, limit: number): Promise<TimerProgress[]>;
  /** When the next run of any timer after this time is; undefined when there is none. */
  nextTimerMs(afterMs: number): Promise<number | undefined>;
  /**
   * Accepts the events of a timer's runs and moves it on.
   * @returns false, with nothing done, when the timer is not where it was seen: somebody else was there first
   * @throws SwiftletError StorageFull
   */
  advanceTimer(seen: TimerProgress, step: TimerStep): Promise<boolean>;
}
