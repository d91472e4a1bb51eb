/**
 * Looks at the clock for functions that are to be kept warm, and calls them. Nothing of it is stored: a call that was missed or failed is
 * worth nothing later, and no destination is told of it.
 */
import { type KeepWarm, keepWarmTimer } from '../model/keep-warm.ts';
import type { Version } from '../model/function.ts';
import { nextRunMs } from '../model/schedule.ts';
import type { CallerRequest } from '../wire/event-calls.ts';
import type { Deliver } from './deliver.ts';
import { Rounds } from './rounds.ts';
import { warmUp } from './warm-up.ts';

const longestSleepMs = 30_000;
/** All functions of a host that just came up may be due at once: so many are called at a time, the others after them. */
const callsAtOnce = 8;

export interface WarmKeeperMeans {
  readonly deliver: Deliver<CallerRequest>;
  /** The functions that are served, another map whenever they change; undefined while that is not known. */
  readonly functions: () => ReadonlyMap<string, Version> | undefined;
  /** How long a call of a version may take. */
  readonly limitMs: (version: Version) => number;
  readonly newId: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A function that is kept warm, and when it is called next. */
interface Kept {
  readonly version: Version;
  readonly keepWarm: KeepWarm;
  readonly sinceMs: number;
  nextMs: number;
}

export class WarmKeeper implements AsyncDisposable {
  readonly #means: WarmKeeperMeans;
  readonly #rounds: Rounds;
  readonly #stopped = new AbortController();
  #followed: ReadonlyMap<string, Version> | undefined;
  #kept: ReadonlyMap<string, Kept> = new Map();
  /** By function: one is called once at a time. */
  readonly #under = new Map<string, Promise<void>>();

  constructor(means: WarmKeeperMeans) {
    this.#means = means;
    this.#rounds = new Rounds({ look: (nowMs) => Promise.resolve(this.#look(nowMs)), now: means.now, longestSleepMs });
  }

  /** The functions have changed, or the clock has. */
  wake(): void {
    this.#rounds.wake();
  }

  /** Gives up the calls that are under way, and resolves when none is. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#rounds.stop();
    await Promise.all(this.#under.values());
  }

  /** @returns when there is something to do again; a call that ends wakes it, too */
  #look(nowMs: number): number {
    const functions = this.#means.functions();
    if (functions === undefined) return Number.POSITIVE_INFINITY;
    if (functions !== this.#followed) this.#follow(functions, nowMs);
    let next = Number.POSITIVE_INFINITY;
    for (const [key, kept] of this.#kept) {
      const isDue = kept.nextMs <= nowMs && this.#under.size < callsAtOnce && !this.#under.has(key);
      if (isDue) {
        this.#call(key, kept.version, nowMs);
        kept.nextMs = nextMsOf(kept.keepWarm, nowMs, kept.sinceMs);
      }
      // Who is due and has to wait is called as soon as a call ends.
      if (kept.nextMs > nowMs) next = Math.min(next, kept.nextMs);
    }
    return next;
  }

  /** A schedule that is declared as before goes on as before. */
  #follow(functions: ReadonlyMap<string, Version>, nowMs: number): void {
    const before = this.#kept;
    const kept = [...functions].flatMap(([key, version]): (readonly [string, Kept])[] => {
      const { keepWarm } = version.config;
      if (keepWarm === undefined) return [];
      const known = before.get(key);
      const goesOn = known !== undefined && JSON.stringify(known.keepWarm) === JSON.stringify(keepWarm);
      const { sinceMs, nextMs } = goesOn ? known : { sinceMs: nowMs, nextMs: nextMsOf(keepWarm, nowMs, nowMs) };
      return [[key, { version, keepWarm, sinceMs, nextMs }]];
    });
    this.#kept = new Map(kept);
    this.#followed = functions;
  }

  #call(key: string, version: Version, nowMs: number): void {
    const { deliver, newId, limitMs } = this.#means;
    const call = deliver(warmUp(version, newId(), nowMs, limitMs(version)), this.#stopped.signal).then(() => {
      this.#under.delete(key);
      this.wake();
    });
    this.#under.set(key, call);
  }
}

const nextMsOf = (keepWarm: KeepWarm, afterMs: number, sinceMs: number): number =>
  nextRunMs(keepWarmTimer(keepWarm), afterMs, sinceMs) ?? Number.POSITIVE_INFINITY;
