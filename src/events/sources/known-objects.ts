/** Which objects of a folder or a bucket were dealt with: the place that no server keeps, in a file of the events role. */
import type { DatabaseSync, SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import { type DatabaseSchema, openDatabase, transact } from '../../role/sqlite-database.ts';
import type { KnownObject, ObjectChange } from './object-changes.ts';

/** Marked with "SWKO". */
const schema: DatabaseSchema = {
  name: 'list of known objects',
  applicationId: 0x53574b4f,
  migrations: [
    `
    CREATE TABLE objects (key TEXT PRIMARY KEY, mark TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE begun (place TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    `,
  ],
  remedy: 'Restore the file from a backup, or move it away: the source begins anew then.',
};

const pageRows = 1_000;
const rowSchema = z.object({ key: z.string(), mark: z.string() });

export class KnownObjects implements Disposable {
  readonly #database: DatabaseSync;
  readonly #sql: SQLTagStore;

  /** @throws Error when the file is damaged or of a newer release */
  constructor(path: string) {
    this.#database = openDatabase(path, schema).database;
    this.#sql = this.#database.createTagStore();
  }

  /** @param place names what is listed: what is known of another one is forgotten when `begin` is called */
  hasBegun(place: string): boolean {
    return this.#sql.get`SELECT 1 FROM begun WHERE place = ${place}` !== undefined;
  }

  /** From now on these are known, and only these; it has begun when all are. They are not held in memory together. */
  async begin(place: string, objects: AsyncIterable<KnownObject>): Promise<void> {
    transact(this.#database, () => this.#database.exec('DELETE FROM objects; DELETE FROM begun'));
    let page: KnownObject[] = [];
    for await (const object of objects) {
      page.push(object);
      if (page.length < pageRows) continue;
      this.#add(page);
      page = [];
    }
    this.#add(page);
    transact(this.#database, () => this.#sql.run`INSERT INTO begun VALUES (${place})`);
  }

  /** In the order of keys; what is settled meanwhile may be in it as it was before. */
  *all(): Generator<KnownObject, undefined> {
    let page = this.#page('');
    while (page.length > 0) {
      yield* page;
      page = page.length < pageRows ? [] : this.#page(page.at(-1)?.key ?? '');
    }
  }

  /** Whether a change was dealt with since what is known was read: it is as it is known now. */
  isSettled({ kind, object: { key, mark } }: ObjectChange): boolean {
    const row = this.#sql.get`SELECT mark FROM objects WHERE key = ${key}`;
    return kind === 'removed' ? row === undefined : row?.['mark'] === mark;
  }

  /** These were dealt with. Durable when it returns. */
  settle(changes: readonly ObjectChange[]): void {
    transact(this.#database, () => {
      for (const { kind, object } of changes) {
        if (kind === 'removed') this.#sql.run`DELETE FROM objects WHERE key = ${object.key} AND mark = ${object.mark}`;
        else this.#sql.run`INSERT INTO objects VALUES (${object.key}, ${object.mark}) ON CONFLICT (key) DO UPDATE SET mark = excluded.mark`;
      }
    });
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #add(objects: readonly KnownObject[]): void {
    transact(this.#database, () => {
      for (const { key, mark } of objects) this.#sql.run`INSERT OR IGNORE INTO objects VALUES (${key}, ${mark})`;
    });
  }

  #page(after: string): KnownObject[] {
    return this.#sql.all`SELECT key, mark FROM objects WHERE key > ${after} ORDER BY key LIMIT ${pageRows}`.map((row) =>
      rowSchema.parse(row),
    );
  }
}
