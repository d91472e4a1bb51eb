import type { SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import type { FunctionRef } from './event-log.ts';
import type { GroupCommit } from './group-commit.ts';
import { acceptEvent } from './sqlite-accept.ts';
import { numberOf, orNone, turn } from './sqlite-rows.ts';
import type { TimerProgress, TimerRef, TimerStep, TimerStore } from './timer-store.ts';

const progressSchema = z.object({
  tenant: z.string(),
  function: z.string(),
  timer: z.string(),
  declared: z.string(),
  sinceMs: z.int(),
  lastMs: orNone(z.int()),
  nextMs: orNone(z.int()),
});

export interface SqliteTimerMeans {
  readonly sql: SQLTagStore;
  readonly commits: GroupCommit;
  /** @throws SwiftletError StorageFull while the log takes no more events */
  readonly demandRoom: () => void;
}

/** The timers' part of the event log's database. */
export class SqliteTimerStore implements TimerStore {
  readonly #sql: SQLTagStore;
  readonly #commits: GroupCommit;
  readonly #demandRoom: () => void;

  constructor({ sql, commits, demandRoom }: SqliteTimerMeans) {
    this.#sql = sql;
    this.#commits = commits;
    this.#demandRoom = demandRoom;
  }

  timers(): Promise<TimerProgress[]> {
    return turn(() =>
      this.#sql.all`
        SELECT tenant, function, timer, declared, since_ms AS sinceMs, last_ms AS lastMs, next_ms AS nextMs FROM timers`.map(progressOf),
    );
  }

  timersOf({ tenant, function: name }: FunctionRef): Promise<TimerProgress[]> {
    return turn(() =>
      this.#sql.all`
        SELECT tenant, function, timer, declared, since_ms AS sinceMs, last_ms AS lastMs, next_ms AS nextMs FROM timers
        WHERE tenant = ${tenant} AND function = ${name} ORDER BY timer`.map(progressOf),
    );
  }

  replaceTimers(changed: readonly TimerProgress[], gone: readonly TimerRef[]): Promise<void> {
    return this.#commits.write(() => {
      for (const { tenant, function: name, timer } of gone)
        this.#sql.run`DELETE FROM timers WHERE tenant = ${tenant} AND function = ${name} AND timer = ${timer}`;
      for (const { tenant, function: name, timer, declared, sinceMs, lastMs, nextMs } of changed) {
        this.#sql.run`
          INSERT OR REPLACE INTO timers (tenant, function, timer, declared, since_ms, last_ms, next_ms)
          VALUES (${tenant}, ${name}, ${timer}, ${declared}, ${sinceMs}, ${lastMs ?? null}, ${nextMs ?? null})`;
      }
    });
  }

  timersDue(nowMs: number, limit: number): Promise<TimerProgress[]> {
    return turn(() =>
      this.#sql.all`
        SELECT tenant, function, timer, declared, since_ms AS sinceMs, last_ms AS lastMs, next_ms AS nextMs FROM timers
        WHERE next_ms <= ${nowMs} ORDER BY next_ms LIMIT ${limit}`.map(progressOf),
    );
  }

  nextTimerMs(afterMs: number): Promise<number | undefined> {
    return turn(() => numberOf(this.#sql.get`SELECT min(next_ms) AS value FROM timers WHERE next_ms > ${afterMs}`?.['value']));
  }

  async advanceTimer(seen: TimerProgress, { events, lastMs, nextMs }: TimerStep): Promise<boolean> {
    const { tenant, function: name, timer, declared } = seen;
    if (events.length > 0) this.#demandRoom();
    return this.#commits.write(() => {
      const moved = this.#sql.run`
        UPDATE timers SET last_ms = ${lastMs ?? null}, next_ms = ${nextMs ?? null}
        WHERE tenant = ${tenant} AND function = ${name} AND timer = ${timer} AND declared = ${declared} AND next_ms = ${seen.nextMs ?? null}`;
      if (Number(moved.changes) === 0) return false;
      for (const event of events) acceptEvent(this.#sql, event);
      return true;
    });
  }
}

const progressOf = (row: unknown): TimerProgress => progressSchema.parse(row);
