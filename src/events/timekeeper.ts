/** Looks at the clock: has the runs of timers accepted as events when they are due. What it knows lies in the store only. */
import type { Version } from '../model/function.ts';
import { functionKey } from '../wire/published-state.ts';
import type { NewEvent } from './event-log.ts';
import { Rounds } from './rounds.ts';
import { timerChanges, timerKey } from './timer-changes.ts';
import { timerEvent } from './timer-event.ts';
import { runsDue } from './timer-runs.ts';
import type { TimerProgress, TimerRef, TimerStore } from './timer-store.ts';

/** The longest sleep: a host's clock can be set. */
const longestSleepMs = 30_000;
const afterTroubleMs = 1_000;
const dueAtOnce = 100;

export interface TimekeeperMeans {
  readonly store: TimerStore;
  /** The functions that are served, another map whenever they change; undefined while that is not known. */
  readonly functions: () => ReadonlyMap<string, Version> | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A run's event is stored. */
  readonly accepted: (event: NewEvent) => void;
  /** Runs were missed that nothing makes up for. */
  readonly skipped: (timer: TimerRef) => void;
  readonly trouble: (error: unknown, what: string) => void;
}

export class Timekeeper implements AsyncDisposable {
  readonly #means: TimekeeperMeans;
  /** The functions whose timers the store has. */
  #followed: ReadonlyMap<string, Version> | undefined;
  readonly #rounds: Rounds;

  constructor(means: TimekeeperMeans) {
    this.#means = means;
    this.#rounds = new Rounds({ look: (nowMs) => this.#tryToLook(nowMs), now: means.now, longestSleepMs });
  }

  /** The functions have changed, or the clock has. */
  wake(): void {
    this.#rounds.wake();
  }

  /** Resolves when nothing is under way any more. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#rounds.stop();
  }

  #tryToLook(nowMs: number): Promise<number> {
    return this.#look(nowMs).catch((error: unknown) => {
      this.#means.trouble(error, 'timers could not be looked at');
      return this.#means.now() + afterTroubleMs;
    });
  }

  /** @returns when there is something to do again */
  async #look(nowMs: number): Promise<number> {
    const { store } = this.#means;
    const functions = this.#means.functions();
    if (functions === undefined) return Number.POSITIVE_INFINITY;
    if (functions !== this.#followed) await this.#follow(functions, nowMs);
    const due = await store.timersDue(nowMs, dueAtOnce);
    const ran = await Promise.all(due.map((progress) => this.#tryToRun(progress, functions, nowMs)));
    if (ran.includes(false)) return nowMs + afterTroubleMs;
    return due.length === dueAtOnce ? nowMs : ((await store.nextTimerMs(nowMs)) ?? Number.POSITIVE_INFINITY);
  }

  async #follow(functions: ReadonlyMap<string, Version>, nowMs: number): Promise<void> {
    const { store } = this.#means;
    const { changed, gone } = timerChanges(await store.timers(), functions.values(), nowMs);
    if (changed.length + gone.length > 0) await store.replaceTimers(changed, gone);
    this.#followed = functions;
  }

  /** @returns false when it has to be tried again; the others run on */
  async #tryToRun(progress: TimerProgress, functions: ReadonlyMap<string, Version>, nowMs: number): Promise<boolean> {
    try {
      await this.#run(progress, functions, nowMs);
      return true;
    } catch (error) {
      this.#means.trouble(error, `the timer ${timerKey(progress)} could not be run; it is tried again`);
      return false;
    }
  }

  async #run(progress: TimerProgress, functions: ReadonlyMap<string, Version>, nowMs: number): Promise<void> {
    const { store, accepted, skipped } = this.#means;
    const config = functions.get(functionKey(progress.tenant, progress.function))?.config;
    const timer = config?.timers[progress.timer];
    const { nextMs, lastMs, sinceMs } = progress;
    // Another process may know of a function already that this one has not heard of.
    if (config === undefined || timer === undefined || nextMs === undefined) return;
    const runs = runsDue(timer, { nextMs, sinceMs }, nowMs);
    const events = runs.dueMs.map((scheduledMs) => timerEvent(progress, scheduledMs, timer.jitterMs, nowMs, config.events));
    const isOurs = await store.advanceTimer(progress, { events, lastMs: runs.dueMs.at(-1) ?? lastMs, nextMs: runs.nextMs });
    if (!isOurs) return;
    if (runs.hasSkipped) skipped(progress);
    for (const event of events) accepted(event);
  }
}
