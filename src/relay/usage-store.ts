/** What each function used on each day. It outlives the functions, their logs and every role. */
import { DatabaseSync } from 'node:sqlite';
import type { Logger } from 'pino';
import { SwiftletError } from '../model/errors.ts';
import type { UsageCounts, UsageRow } from '../wire/relay-calls.ts';

/** What a kill costs at most: counts that came less than this ago. */
const writeEveryMs = 1_000;
/** Thirteen months, so that a month can be compared with the same one a year before. */
const keptDays = 400;
const dayMs = 86_400_000;
const complainEveryMs = 60_000;

/** In WAL with synchronous NORMAL a commit waits for no disk: a kill of the process loses nothing that was committed, a power cut may. */
const schema = `
  PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS usage (
    tenant TEXT NOT NULL, function TEXT NOT NULL, day TEXT NOT NULL,
    warm INTEGER NOT NULL, thawed INTEGER NOT NULL DEFAULT 0, awakened INTEGER NOT NULL DEFAULT 0, provisioned INTEGER NOT NULL DEFAULT 0, cold INTEGER NOT NULL, billedMs REAL NOT NULL, mebibyteMs REAL NOT NULL, platformMs REAL NOT NULL, prepaidMs REAL NOT NULL,
    PRIMARY KEY (tenant, day, function)
  ) STRICT, WITHOUT ROWID;`;

/** What a table of before these were counted lacks. */
const laterColumns = ['thawed', 'awakened', 'provisioned'] as const;

const addition = `
  INSERT INTO usage (tenant, function, day, warm, thawed, awakened, provisioned, cold, billedMs, mebibyteMs, platformMs, prepaidMs)
  VALUES (:tenant, :function, :day, :warm, :thawed, :awakened, :provisioned, :cold, :billedMs, :mebibyteMs, :platformMs, :prepaidMs)
  ON CONFLICT DO UPDATE SET warm = warm + excluded.warm, thawed = thawed + excluded.thawed,
    awakened = awakened + excluded.awakened, provisioned = provisioned + excluded.provisioned, cold = cold + excluded.cold, billedMs = billedMs + excluded.billedMs,
    mebibyteMs = mebibyteMs + excluded.mebibyteMs, platformMs = platformMs + excluded.platformMs, prepaidMs = prepaidMs + excluded.prepaidMs`;

const selection = `
  SELECT function, day, warm, thawed, awakened, provisioned, cold, billedMs, mebibyteMs, platformMs, prepaidMs FROM usage
  WHERE tenant = :tenant AND day >= :from AND (:function IS NULL OR function = :function) ORDER BY day DESC, function LIMIT :limit`;

interface Pending {
  readonly tenant: string;
  readonly function: string;
  counts: UsageCounts;
}

export interface UsageQuery {
  readonly tenant: string;
  readonly function?: string | undefined;
  /** The first day. */
  readonly from: string;
  readonly limit: number;
}

export class UsageStore implements Disposable {
  readonly #path: string;
  readonly #now: () => number;
  readonly #log: Logger;
  readonly #pending = new Map<string, Pending>();
  #database: DatabaseSync | undefined;
  #timer: NodeJS.Timeout | undefined;
  #prunedOn = '';
  #complainedAt = -Infinity;

  /**
   * Touches nothing yet: a relay whose disk is full, or whose database is damaged, still keeps logs.
   * @param now milliseconds since 1970
   */
  constructor(path: string, now: () => number, log: Logger) {
    this.#path = path;
    this.#now = now;
    this.#log = log;
  }

  add(tenant: string, name: string, counts: UsageCounts): void {
    const key = `${tenant}/${name}/${counts.day}`;
    const pending = this.#pending.get(key);
    if (pending === undefined) this.#pending.set(key, { tenant, function: name, counts });
    else pending.counts = sumOf(pending.counts, counts);
    this.#timer ??= setTimeout(() => this.#writeOrWait(), writeEveryMs);
  }

  /** Newest day first. @throws SwiftletError Unavailable when the database cannot be read */
  read({ tenant, function: name, from, limit }: UsageQuery): UsageRow[] {
    this.#writeOrWait();
    try {
      const rows = this.#open()
        .prepare(selection)
        .all({ tenant, from, limit, function: name ?? null });
      return rows.map(rowOf);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new SwiftletError(
        'Unavailable',
        `the usage in ${this.#path} cannot be read: ${reason}; restore it, or move it away to begin anew`,
        {
          cause: error,
        },
      );
    }
  }

  [Symbol.dispose](): void {
    this.#writeOrWait();
    clearTimeout(this.#timer);
    this.#database?.close();
    this.#database = undefined;
  }

  /** Writes what waits. What cannot be written waits on: there is no more of it than functions and days. */
  #writeOrWait(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.size === 0) return;
    try {
      this.#write(this.#open());
    } catch (error) {
      this.#complain(error);
      this.#timer = setTimeout(() => this.#writeOrWait(), writeEveryMs);
    }
  }

  #write(database: DatabaseSync): void {
    const insert = database.prepare(addition);
    database.exec('BEGIN IMMEDIATE');
    try {
      for (const { tenant, function: name, counts } of this.#pending.values()) insert.run({ tenant, function: name, ...counts });
      this.#prune(database);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
    this.#pending.clear();
  }

  #prune(database: DatabaseSync): void {
    const today = dayOf(this.#now());
    if (today === this.#prunedOn) return;
    database.prepare('DELETE FROM usage WHERE day < ?').run(dayOf(this.#now() - keptDays * dayMs));
    this.#prunedOn = today;
  }

  #open(): DatabaseSync {
    if (this.#database !== undefined) return this.#database;
    const database = new DatabaseSync(this.#path);
    try {
      database.exec(schema);
      addLaterColumns(database);
    } catch (error) {
      database.close();
      throw error;
    }
    this.#database = database;
    return database;
  }

  #complain(error: unknown): void {
    const now = this.#now();
    if (now - this.#complainedAt < complainEveryMs) return;
    this.#complainedAt = now;
    this.#log.error({ err: error }, 'usage cannot be written and waits in memory; free space on the disk of SWIFTLET_HOME');
  }
}

function addLaterColumns(database: DatabaseSync): void {
  const there = new Set(
    database
      .prepare('SELECT name FROM pragma_table_info(?)')
      .all('usage')
      .map(({ name }) => name),
  );
  for (const column of laterColumns)
    if (!there.has(column)) database.exec(`ALTER TABLE usage ADD COLUMN ${column} INTEGER NOT NULL DEFAULT 0`);
}

/** A day in UTC, like 2026-01-31. */
export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 'yyyy-mm-dd'.length);

export const sumOf = (one: UsageCounts, other: UsageCounts): UsageCounts => ({
  day: one.day,
  warm: one.warm + other.warm,
  thawed: one.thawed + other.thawed,
  awakened: one.awakened + other.awakened,
  provisioned: one.provisioned + other.provisioned,
  cold: one.cold + other.cold,
  billedMs: one.billedMs + other.billedMs,
  mebibyteMs: one.mebibyteMs + other.mebibyteMs,
  platformMs: one.platformMs + other.platformMs,
  prepaidMs: one.prepaidMs + other.prepaidMs,
});

const rowOf = (row: Record<string, unknown>): UsageRow => ({
  function: String(row['function']),
  day: String(row['day']),
  warm: Number(row['warm']),
  thawed: Number(row['thawed']),
  awakened: Number(row['awakened']),
  provisioned: Number(row['provisioned']),
  cold: Number(row['cold']),
  billedMs: Number(row['billedMs']),
  mebibyteMs: Number(row['mebibyteMs']),
  platformMs: Number(row['platformMs']),
  prepaidMs: Number(row['prepaidMs']),
});
