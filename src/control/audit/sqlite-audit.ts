/** The audit records in control's database: text as it was hashed, so that what is verified is what is stored. */
import type { SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import {
  type Anchor,
  type Attempt,
  attemptSchema,
  type AuditEntry,
  type AuditRecord,
  canonicalJson,
  chained,
  genesis,
} from '../../model/audit.ts';
import type { AuditPage, AuditStore } from './audit-store.ts';

const anchorSchema = z.object({ seq: z.int(), hash: z.string() });

export interface SqliteAuditMeans {
  readonly sql: SQLTagStore;
  readonly read: <T>(work: () => T) => Promise<T>;
  /** Carries out a write as a whole or not at all. */
  readonly write: <T>(work: () => T) => Promise<T>;
}

export class SqliteAudit implements AuditStore {
  readonly #means: SqliteAuditMeans;
  readonly #sql: SQLTagStore;

  constructor(means: SqliteAuditMeans) {
    this.#means = means;
    this.#sql = means.sql;
  }

  begin(attempt: Attempt): Promise<void> {
    return this.#means.write(() => {
      this.#sql.run`INSERT INTO audit_open (request_id, attempt) VALUES (${attempt.requestId}, ${canonicalJson(attempt)})`;
    });
  }

  unfinished(): Promise<Attempt[]> {
    return this.#means.read(() =>
      this.#sql.all`SELECT attempt FROM audit_open`
        .map(({ attempt }) => attemptSchema.parse(JSON.parse(String(attempt))))
        .sort((one, other) => (one.time < other.time ? -1 : 1)),
    );
  }

  append(entries: readonly AuditEntry[]): Promise<AuditRecord[]> {
    return this.#means.write(() => {
      let last = this.#head();
      return entries.map((entry) => {
        const record = chained(entry, last);
        this.#sql.run`INSERT INTO audit (seq, tenant, record) VALUES (${record.seq}, ${record.tenant}, ${canonicalJson(record)})`;
        this.#sql.run`DELETE FROM audit_open WHERE request_id = ${record.requestId}`;
        last = record;
        return record;
      });
    });
  }

  head(): Promise<Anchor> {
    return this.#means.read(() => this.#head());
  }

  anchor(): Promise<Anchor> {
    return this.#means.read(() => this.#anchor());
  }

  lines({ after, limit, tenant }: AuditPage): Promise<{ seq: number; line: string }[]> {
    return this.#means.read(() => {
      const rows =
        tenant === undefined
          ? this.#sql.all`SELECT seq, record FROM audit WHERE seq > ${after} ORDER BY seq LIMIT ${limit}`
          : this.#sql.all`SELECT seq, record FROM audit WHERE tenant = ${tenant} AND seq > ${after} ORDER BY seq LIMIT ${limit}`;
      return rows.map(({ seq, record }) => ({ seq: Number(seq), line: String(record) }));
    });
  }

  before(count: number, tenant?: string): Promise<number> {
    return this.#means.read(() => {
      const row =
        tenant === undefined
          ? this.#sql.get`SELECT seq FROM audit ORDER BY seq DESC LIMIT 1 OFFSET ${count}`
          : this.#sql.get`SELECT seq FROM audit WHERE tenant = ${tenant} ORDER BY seq DESC LIMIT 1 OFFSET ${count}`;
      return row === undefined ? 0 : Number(row['seq']);
    });
  }

  trim(upTo: number): Promise<void> {
    return this.#means.write(() => {
      const row = this.#sql.get`SELECT record FROM audit WHERE seq = ${upTo}`;
      if (row === undefined) return;
      const { seq, hash } = anchorSchema.parse(JSON.parse(String(row['record'])));
      this.#sql
        .run`INSERT INTO audit_anchor (id, seq, hash) VALUES (1, ${seq}, ${hash}) ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash`;
      this.#sql.run`DELETE FROM audit WHERE seq <= ${upTo}`;
    });
  }

  #head(): Anchor {
    const row = this.#sql.get`SELECT record FROM audit ORDER BY seq DESC LIMIT 1`;
    return row === undefined ? this.#anchor() : anchorSchema.parse(JSON.parse(String(row['record'])));
  }

  #anchor(): Anchor {
    const row = this.#sql.get`SELECT seq, hash FROM audit_anchor`;
    return row === undefined ? genesis : anchorSchema.parse(row);
  }
}
