import type { DatabaseSync, SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import { type DatabaseSchema, openDatabase, transact } from '../../role/sqlite-database.ts';
import { turn } from '../sqlite-rows.ts';
import type { SourceRef, SourceStore } from './source-store.ts';

/** Marked with "SWSO". */
const schema: DatabaseSchema = {
  name: 'store of paused sources',
  applicationId: 0x5357534f,
  migrations: [
    `
    CREATE TABLE paused (
      tenant TEXT NOT NULL,
      function TEXT NOT NULL,
      source TEXT NOT NULL,
      since_ms INTEGER NOT NULL,
      PRIMARY KEY (tenant, function, source)
    ) STRICT, WITHOUT ROWID;
    `,
  ],
  remedy: 'Restore the file from a backup, or move it away: no source is paused then.',
};

const refSchema = z.object({ tenant: z.string(), function: z.string(), source: z.string() });

/** Apart from the event log, since that may lie elsewhere. */
export class SqliteSourceStore implements SourceStore, Disposable {
  readonly #database: DatabaseSync;
  readonly #sql: SQLTagStore;

  /** @throws Error when the file is damaged or of a newer release */
  constructor(path: string) {
    this.#database = openDatabase(path, schema).database;
    this.#sql = this.#database.createTagStore();
  }

  paused(): Promise<SourceRef[]> {
    return turn(() => this.#sql.all`SELECT tenant, function, source FROM paused`.map((row) => refSchema.parse(row)));
  }

  pause({ tenant, function: name, source }: SourceRef, nowMs: number): Promise<void> {
    return turn(() =>
      transact(this.#database, () => {
        this.#sql.run`INSERT OR IGNORE INTO paused VALUES (${tenant}, ${name}, ${source}, ${nowMs})`;
      }),
    );
  }

  resume({ tenant, function: name, source }: SourceRef): Promise<void> {
    return turn(() =>
      transact(this.#database, () => {
        this.#sql.run`DELETE FROM paused WHERE tenant = ${tenant} AND function = ${name} AND source = ${source}`;
      }),
    );
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}
