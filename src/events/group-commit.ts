/** Many writes, one sync of the disk: what comes within two milliseconds is committed together. */
import type { DatabaseSync } from 'node:sqlite';
import { isBroken, transact } from '../role/sqlite-database.ts';

/** A write waits no longer than this for others to come along. */
export const groupWindowMs = 2;
/** So many are committed without waiting for more. */
const largestGroup = 512;

/** How long to wait with a commit: no time after a pause, and under load so long that the disk is synced once in a window. */
export const commitDelayMs = (lastCommitMs: number, nowMs: number, windowMs = groupWindowMs): number =>
  Math.min(windowMs, Math.max(0, lastCommitMs + windowMs - nowMs));

interface Write {
  readonly run: () => void;
  readonly committed: () => void;
  readonly failed: (error: unknown) => void;
}

export interface GroupCommitMeans {
  readonly database: DatabaseSync;
  /** Carries out a group; by default in a transaction of the database, synced there. One that takes its time holds up the next one. */
  readonly transact?: (work: () => void) => Promise<void>;
  /** The monotonic clock, in milliseconds. */
  readonly now: () => number;
  /** Called after each commit with the number of its writes and how long it took. */
  readonly committed: (writes: number, tookMs: number) => void;
  /** Called when the disk failed: what was acknowledged before is safe, and only a new opening tells what else is there. */
  readonly broken: (error: unknown) => void;
}

export class GroupCommit implements AsyncDisposable {
  readonly #means: GroupCommitMeans;
  #group: Write[] = [];
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** The group that is being committed. */
  #underWay: Promise<void> | undefined;

  constructor(means: GroupCommitMeans) {
    this.#means = means;
  }

  /**
   * Carries out a write in the next transaction.
   * @returns its result, once that is on the disk
   * @throws what the transaction failed with; then nothing of any write in it was done
   */
  write<T>(work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let result: { readonly value: T } | undefined;
      this.#group.push({
        run: () => {
          result = { value: work() };
        },
        committed: () => {
          if (result !== undefined) resolve(result.value);
        },
        failed: (error) => reject(error instanceof Error ? error : new Error(String(error))),
      });
      if (this.#group.length >= largestGroup) this.#commit();
      else if (this.#group.length === 1 && this.#underWay === undefined) this.#commitSoon();
    });
  }

  /** Commits what is there. */
  async [Symbol.asyncDispose](): Promise<void> {
    do {
      await this.#underWay;
      this.#commit();
    } while (this.#underWay !== undefined);
  }

  /** A timer of no time takes a millisecond, which is most of what a lone write waits for on a fast disk. */
  #commitSoon(): void {
    const delayMs = commitDelayMs(this.#lastMs, this.#means.now());
    if (delayMs === 0) this.#soon = setImmediate(() => this.#commit());
    else this.#timer = setTimeout(() => this.#commit(), delayMs);
  }

  #commit(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
    // What has come meanwhile is committed when this one has ended.
    if (this.#underWay !== undefined || this.#group.length === 0) return;
    const group = this.#group;
    this.#group = [];
    const startedMs = this.#means.now();
    const work = () => {
      for (const write of group) write.run();
    };
    if (this.#means.transact === undefined) this.#commitHere(group, work, startedMs);
    else this.#underWay = this.#commitElsewhere(group, this.#means.transact(work), startedMs);
  }

  #commitHere(group: readonly Write[], work: () => void, startedMs: number): void {
    try {
      transact(this.#means.database, work);
    } catch (error) {
      this.#failed(group, error);
      return;
    }
    this.#committed(group, startedMs);
  }

  async #commitElsewhere(group: readonly Write[], done: Promise<void>, startedMs: number): Promise<void> {
    const error: unknown = await done.then(
      () => undefined,
      (reason: unknown) => reason ?? new Error('it failed'),
    );
    this.#underWay = undefined;
    if (error === undefined) this.#committed(group, startedMs);
    else this.#failed(group, error);
    if (this.#group.length > 0) this.#commitSoon();
  }

  #committed(group: readonly Write[], startedMs: number): void {
    this.#lastMs = this.#means.now();
    this.#means.committed(group.length, this.#lastMs - startedMs);
    for (const write of group) write.committed();
  }

  #failed(group: readonly Write[], error: unknown): void {
    this.#lastMs = this.#means.now();
    for (const write of group) write.failed(error);
    if (isBroken(error)) this.#means.broken(error);
  }
}
