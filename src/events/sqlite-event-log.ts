import type { DatabaseSync, SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { openDatabase } from '../role/sqlite-database.ts';
import {
  eventErrorSchema,
  eventRequestSchema,
  eventResultSchema,
  eventStates,
  failureReasons,
  type Selection,
} from '../wire/event-calls.ts';
import type {
  Acceptance,
  DeadLetterPage,
  EventCount,
  EventLog,
  EventPayload,
  EventRecord,
  LaneRef,
  LeasedEvent,
  LeaseOrder,
  NewEvent,
  Settlement,
} from './event-log.ts';
import { GroupCommit, type GroupCommitMeans } from './group-commit.ts';
import { acceptEvent } from './sqlite-accept.ts';
import { eventSchema } from './sqlite-event-schema.ts';
import { holdBehindOthers, releaseNext } from './sqlite-order.ts';
import { jsonText, numberOf, orNone, turn } from './sqlite-rows.ts';
import { SqliteTimerStore } from './sqlite-timer-store.ts';

const refSchema = z.object({ tenant: z.string(), function: z.string() });
const laneSchema = refSchema.extend({ way: z.enum(['gateway', 'webhook']) });
const leasedSchema = laneSchema.extend({ id: z.string(), token: z.int(), attempts: z.int(), sinceMs: z.int(), hops: z.int() });
const payloadSchema = z.object({ request: jsonText.pipe(eventRequestSchema), body: z.instanceof(Uint8Array) });
const recordSchema = refSchema.extend({
  id: z.string(),
  state: z.enum(eventStates),
  acceptedMs: z.int(),
  attempts: z.int(),
  dueMs: z.int(),
  endedMs: orNone(z.int()),
  reason: orNone(z.enum(failureReasons)),
  error: orNone(jsonText.pipe(eventErrorSchema)),
  result: orNone(jsonText.pipe(eventResultSchema)),
});
const countSchema = refSchema.extend({ state: z.enum(eventStates), count: z.int() });

/**
 * When so many pages stand in the log that is written ahead (16 MiB), the commit that is at hand takes them over into the database, which takes
 * as long as several syncs. An event writes about seven: by SQLite's own thousand every 150th event would wait for that, which is most of a p99.
 */
const checkpointPages = 4_096;

/**
 * Opens the database that a log is in.
 * @param synchronous as the pragma: FULL when it is what promises rest on, NORMAL when it can be made anew
 * @throws Error when the file is damaged or of a newer release
 */
export function openEventDatabase(path: string, synchronous: 'FULL' | 'NORMAL' = 'FULL'): DatabaseSync {
  const { database } = openDatabase(path, eventSchema);
  database.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}`);
  if (synchronous === 'NORMAL') database.exec('PRAGMA synchronous = NORMAL');
  return database;
}

export interface SqliteEventLogMeans extends Omit<GroupCommitMeans, 'database'> {
  /** What ends before the database is closed. */
  readonly ending?: () => Promise<void>;
  /** Above it no more events are accepted, so that those there are can still be dealt with. */
  readonly maxBytes: number;
}

/**
 * The log of one machine. One process has it: leases of the process before it are over when it is opened. Node's SQLite works
 * synchronously and a commit waits for the disk, which is why that process does nothing else.
 */
export class SqliteEventLog implements EventLog {
  /** Timers are kept in the same database, since their runs are accepted together with their progress. */
  readonly timers: SqliteTimerStore;
  readonly #database: DatabaseSync;
  /** Keeps each statement prepared. */
  readonly #sql: SQLTagStore;
  readonly #commits: GroupCommit;
  readonly #ending: (() => Promise<void>) | undefined;

  readonly #maxBytes: number;
  /** What events take in the file, as of the last commit. */
  #usedBytes: number;

  /**
   * @param source the file's path, or the database, which it closes
   * @throws Error when the file is damaged or of a newer release
   */
  constructor(source: string | DatabaseSync, { maxBytes, ending, ...means }: SqliteEventLogMeans) {
    this.#database = typeof source === 'string' ? openEventDatabase(source) : source;
    this.#ending = ending;
    this.#sql = this.#database.createTagStore();
    this.#commits = new GroupCommit({
      ...means,
      database: this.#database,
      committed: (writes, tookMs) => {
        this.#usedBytes = this.#measure();
        means.committed(writes, tookMs);
      },
    });
    this.#database.exec(endLeases);
    this.#maxBytes = maxBytes;
    this.#usedBytes = this.#measure();
    this.timers = new SqliteTimerStore({ sql: this.#sql, commits: this.#commits, demandRoom: () => this.#demandRoom() });
  }

  async accept(event: NewEvent): Promise<Acceptance> {
    this.#demandRoom();
    return this.#commits.write(() => acceptEvent(this.#sql, event));
  }

  lanesDue(nowMs: number): Promise<LaneRef[]> {
    return turn(() =>
      this.#sql.all`
        SELECT c.tenant, c.function, w.column1 AS way FROM counts c, (VALUES ('gateway'), ('webhook')) w
        WHERE c.state = 'waiting' AND c.n > 0 AND EXISTS (
          SELECT 1 FROM events e WHERE e.state = 'waiting' AND e.is_held = 0 AND e.tenant = c.tenant AND e.function = c.function
            AND e.way = w.column1 AND e.due_ms <= ${nowMs})`.map((row) => laneSchema.parse(row)),
    );
  }

  nextDueMs(afterMs: number): Promise<number | undefined> {
    return turn(() =>
      numberOf(
        this.#sql.get`SELECT min(due_ms) AS value FROM events WHERE state = 'waiting' AND is_held = 0 AND due_ms > ${afterMs}`?.['value'],
      ),
    );
  }

  lease({ tenant, function: name, way, limit, nowMs, untilMs }: LeaseOrder): Promise<LeasedEvent[]> {
    return this.#commits.write(() =>
      this.#sql.all`
        UPDATE events SET state = 'running', token = token + 1, lease_until_ms = ${untilMs} WHERE seq IN (
          SELECT seq FROM events WHERE state = 'waiting' AND is_held = 0 AND tenant = ${tenant} AND function = ${name} AND way = ${way}
            AND due_ms <= ${nowMs}
          ORDER BY due_ms LIMIT ${limit})
        RETURNING id, tenant, function, way, token, attempts, since_ms AS sinceMs, hops`.map((row) => leasedSchema.parse(row)),
    );
  }

  payload(tenant: string, id: string): Promise<EventPayload | undefined> {
    return turn(() => {
      const row = this.#sql.get`SELECT request, body FROM payloads JOIN events USING (seq) WHERE id = ${id} AND tenant = ${tenant}`;
      return row === undefined ? undefined : payloadSchema.parse(row);
    });
  }

  settle(id: string, token: number, settlement: Settlement, follow?: NewEvent): Promise<boolean> {
    return this.#commits.write(() => {
      const done = this.#settle(id, token, settlement);
      if (!done) return false;
      if (settlement.kind !== 'waiting') releaseNext(this.#sql, id);
      if (follow !== undefined) acceptEvent(this.#sql, follow);
      const isGone = settlement.kind === 'succeeded' || settlement.kind === 'discarded';
      if (isGone) this.#sql.run`DELETE FROM payloads WHERE seq = (SELECT seq FROM events WHERE id = ${id})`;
      return true;
    });
  }

  expired(nowMs: number, limit: number): Promise<LeasedEvent[]> {
    return turn(() =>
      this.#sql.all`
        SELECT id, tenant, function, way, token, attempts, since_ms AS sinceMs, hops FROM events
        WHERE state = 'running' AND lease_until_ms <= ${nowMs} ORDER BY lease_until_ms LIMIT ${limit}`.map((row) =>
        leasedSchema.parse(row),
      ),
    );
  }

  find(tenant: string, id: string): Promise<EventRecord | undefined> {
    return turn(() => {
      const row = this.#sql.get`
        SELECT id, tenant, function, state, accepted_ms AS acceptedMs, attempts, due_ms AS dueMs, ended_ms AS endedMs, reason, error, result
        FROM events WHERE id = ${id} AND tenant = ${tenant}`;
      return row === undefined ? undefined : recordSchema.parse(row);
    });
  }

  deadLetters({ tenant, function: name, after, limit }: DeadLetterPage): Promise<EventRecord[]> {
    return turn(() => this.#deadIds(tenant, name, after, limit).map((id) => this.#dead(id)));
  }

  redrive(tenant: string, selection: Selection, nowMs: number, limit: number): Promise<number> {
    return this.#commits.write(() => {
      const ids = this.#selected(tenant, selection, limit);
      for (const id of ids) {
        holdBehindOthers(this.#sql, id);
        this.#sql.run`
          UPDATE events SET state = 'waiting', since_ms = ${nowMs}, due_ms = ${nowMs}, attempts = 0, ended_ms = NULL, reason = NULL, error = NULL
          WHERE id = ${id} AND state = 'dead-lettered'`;
      }
      return ids.length;
    });
  }

  purge(tenant: string, selection: Selection, limit: number): Promise<number> {
    return this.#commits.write(() => {
      const ids = this.#selected(tenant, selection, limit);
      for (const id of ids) this.#sql.run`DELETE FROM events WHERE id = ${id} AND state = 'dead-lettered'`;
      return ids.length;
    });
  }

  forget(endedBeforeMs: number, limit: number): Promise<number> {
    return this.#commits.write(() => {
      const removed = this.#sql.run`
        DELETE FROM events WHERE seq IN (
          SELECT seq FROM events WHERE state IN ('succeeded', 'discarded') AND ended_ms < ${endedBeforeMs} LIMIT ${limit})`;
      this.#sql.run`DELETE FROM counts WHERE n = 0`;
      return Number(removed.changes);
    });
  }

  forgetKeys(nowMs: number, limit: number): Promise<number> {
    return this.#commits.write(() => {
      const removed = this.#sql.run`
        DELETE FROM idempotency WHERE (tenant, function, key) IN (
          SELECT tenant, function, key FROM idempotency WHERE until_ms <= ${nowMs} LIMIT ${limit})`;
      return Number(removed.changes);
    });
  }

  endedBack(count: number): Promise<number | undefined> {
    return turn(() =>
      numberOf(
        this.#sql.get`
          SELECT ended_ms AS value FROM events WHERE state IN ('succeeded', 'discarded')
          ORDER BY ended_ms DESC LIMIT 1 OFFSET ${count}`?.['value'],
      ),
    );
  }

  counts(): Promise<EventCount[]> {
    return turn(() => this.#sql.all`SELECT tenant, function, state, n AS count FROM counts`.map((row) => countSchema.parse(row)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#database.isOpen) return;
    await this.#commits[Symbol.asyncDispose]();
    await this.#ending?.();
    this.#database.close();
  }

  /** @throws SwiftletError StorageFull */
  #demandRoom(): void {
    if (this.#usedBytes >= this.#maxBytes) throw logFull(this.#maxBytes);
  }

  #measure(): number {
    const pragma = (name: string) => Number(this.#database.prepare(`PRAGMA ${name}`).get()?.[name]);
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  }

  #settle(id: string, token: number, settlement: Settlement): boolean {
    const { kind, attempts } = settlement;
    switch (kind) {
      case 'succeeded':
        return hasChanged(this.#sql.run`
          UPDATE events SET state = ${kind}, attempts = ${attempts}, ended_ms = ${settlement.atMs}, lease_until_ms = NULL, error = NULL,
            result = ${JSON.stringify(settlement.result)}
          WHERE id = ${id} AND token = ${token} AND state = 'running'`);
      case 'dead-lettered':
      case 'discarded':
        return hasChanged(this.#sql.run`
          UPDATE events SET state = ${kind}, attempts = ${attempts}, ended_ms = ${settlement.atMs}, lease_until_ms = NULL,
            reason = ${settlement.reason}, error = ${JSON.stringify(settlement.error)}
          WHERE id = ${id} AND token = ${token} AND state = 'running'`);
      case 'waiting':
        return hasChanged(this.#sql.run`
          UPDATE events SET state = ${kind}, attempts = ${attempts}, due_ms = ${settlement.dueMs}, lease_until_ms = NULL,
            error = ${JSON.stringify(settlement.error)}
          WHERE id = ${id} AND token = ${token} AND state = 'running'`);
    }
  }

  #selected(tenant: string, selection: Selection, limit: number): string[] {
    if ('ids' in selection) return selection.ids.filter((id) => this.#isDead(tenant, id)).slice(0, limit);
    return this.#deadIds(tenant, 'function' in selection ? selection.function : undefined, '', limit);
  }

  #isDead(tenant: string, id: string): boolean {
    return this.#sql.get`SELECT 1 FROM events WHERE id = ${id} AND tenant = ${tenant} AND state = 'dead-lettered'` !== undefined;
  }

  #deadIds(tenant: string, name: string | undefined, after: string, limit: number): string[] {
    const rows =
      name === undefined
        ? this.#sql
            .all`SELECT id FROM events WHERE state = 'dead-lettered' AND tenant = ${tenant} AND id > ${after} ORDER BY id LIMIT ${limit}`
        : this.#sql.all`
            SELECT id FROM events WHERE state = 'dead-lettered' AND tenant = ${tenant} AND function = ${name} AND id > ${after}
            ORDER BY id LIMIT ${limit}`;
    return rows.map((row) => String(row['id']));
  }

  #dead(id: string): EventRecord {
    return recordSchema.parse(
      this.#sql.get`
        SELECT id, tenant, function, state, accepted_ms AS acceptedMs, attempts, due_ms AS dueMs, ended_ms AS endedMs, reason, error, result
        FROM events WHERE id = ${id}`,
    );
  }
}

/** The process that had them is gone. */
export const endLeases = "UPDATE events SET lease_until_ms = 0 WHERE state = 'running' AND lease_until_ms > 0";

const logFull = (maxBytes: number): SwiftletError =>
  new SwiftletError(
    'StorageFull',
    `the event log has its ${maxBytes} bytes full; let its functions catch up, purge dead letters, or raise SWIFTLET_EVENT_LOG_MIB`,
  );

const hasChanged = ({ changes }: { readonly changes: number | bigint }): boolean => Number(changes) > 0;
