/**
 * An event log's database as the index of a journal: a transaction is worked out here, made durable there, and only then done here. So the
 * database never has what is not in the journal, and can always be made anew from it.
 */
import { rmSync } from 'node:fs';
import { backup, constants, DatabaseSync } from 'node:sqlite';
import { transact } from '../role/sqlite-database.ts';
import { type Journal, Outrun } from './journal.ts';

/** Times that a transaction is worked out anew because others came first. */
const maxTries = 8;
/** A snapshot is made when the journal has grown by this, and by twice what the state takes. */
const leastGrowthBytes = 64 * 1024 * 1024;

export interface JournalledMeans {
  readonly database: DatabaseSync;
  readonly journal: Journal;
  /** Where a snapshot may lie while it is made. */
  readonly snapshotPath: string;
  readonly trouble: (error: unknown, what: string) => void;
  /** Bytes by which the journal may grow before a snapshot is made. */
  readonly growthBytes?: number;
}

export class Journalled {
  readonly #means: JournalledMeans;
  /** The place in the journal up to which the database is. */
  #seq: number;
  /** Whether nobody else is known to have appended, nor anything of ours is unknown. */
  #isInSync = false;
  #grownBytes = 0;
  #snapshot: Promise<void> | undefined;

  /** @throws Error when the database is the index of another journal */
  constructor(means: JournalledMeans) {
    this.#means = means;
    this.#seq = placeOf(means.database, means.journal.id);
  }

  /** Does what others, or a process before this one, have appended. @throws Error when the journal cannot be read */
  async catchUp(): Promise<void> {
    const { database, journal } = this.#means;
    for await (const { seq, changes } of journal.read(this.#seq)) {
      this.#apply(database, changes, seq);
      this.#grownBytes += changes.length;
    }
    this.#isInSync = true;
  }

  /**
   * Carries out writes as a whole or not at all.
   * @param work may run several times; what it did is undone each time but the last
   */
  async transact(work: () => void): Promise<void> {
    const { database, journal } = this.#means;
    for (let tries = 1; ; tries += 1) {
      if (!this.#isInSync) await this.catchUp();
      const changes = changesOf(database, work);
      if (changes.length === 0) return;
      try {
        const seq = await journal.append(changes, this.#seq);
        this.#apply(database, changes, seq);
        this.#grow(changes.length);
        return;
      } catch (error) {
        this.#isInSync = false;
        if (!(error instanceof Outrun) || tries === maxTries) throw error;
      }
    }
  }

  /** Resolves when no snapshot is being made. */
  async settled(): Promise<void> {
    await this.#snapshot;
  }

  #apply(database: DatabaseSync, changes: Uint8Array, seq: number): void {
    transact(database, () => {
      const isWhole = database.applyChangeset(changes, { filter: (table) => !derived.includes(table), onConflict });
      if (!isWhole) throw new Error(`the journal's transaction ${seq} does not fit what the event log has`);
      database.prepare('UPDATE journal SET seq = ?').run(seq);
    });
    this.#seq = seq;
  }

  #grow(bytes: number): void {
    const { database, trouble, growthBytes = leastGrowthBytes } = this.#means;
    this.#grownBytes += bytes;
    if (this.#snapshot !== undefined || this.#grownBytes < growthBytes || this.#grownBytes < 2 * sizeOf(database)) return;
    this.#grownBytes = 0;
    this.#snapshot = this.#keepSnapshot()
      .catch((error: unknown) => trouble(error, 'a snapshot of the event log could not be kept; the journal grows on'))
      .finally(() => {
        this.#snapshot = undefined;
      });
  }

  /** The database is copied page by page, beside its work; the copy says how far it is. */
  async #keepSnapshot(): Promise<void> {
    const { database, journal, snapshotPath: path } = this.#means;
    rmSync(path, { force: true });
    try {
      await backup(database, path);
      await journal.keep({ path, seq: placeIn(path) });
    } finally {
      rmSync(path, { force: true });
    }
  }
}

/** Tables that triggers keep. */
const derived: readonly string[] = ['counts'];

/** A row that a foreign key has taken along is gone already. */
const onConflict = (kind: number): number =>
  kind === constants.SQLITE_CHANGESET_NOTFOUND ? constants.SQLITE_CHANGESET_OMIT : constants.SQLITE_CHANGESET_ABORT;

/** Works out what a transaction changes, and leaves everything as it was. */
function changesOf(database: DatabaseSync, work: () => void): Uint8Array {
  database.exec('BEGIN IMMEDIATE');
  const session = database.createSession();
  try {
    work();
    return session.changeset();
  } finally {
    session.close();
    database.exec('ROLLBACK');
  }
}

function placeOf(database: DatabaseSync, id: string): number {
  database.exec('CREATE TABLE IF NOT EXISTS journal (id TEXT NOT NULL, seq INTEGER NOT NULL) STRICT');
  const row = database.prepare('SELECT id, seq FROM journal').get();
  if (row === undefined) {
    database.prepare('INSERT INTO journal VALUES (?, 0)').run(id);
    return 0;
  }
  if (row['id'] !== id) throw new Error('it is the index of another journal: the stream was deleted and made anew, or is another one');
  return Number(row['seq']);
}

function placeIn(path: string): number {
  const copy = new DatabaseSync(path);
  try {
    return Number(copy.prepare('SELECT seq FROM journal').get()?.['seq']);
  } finally {
    copy.close();
  }
}

function sizeOf(database: DatabaseSync): number {
  const pragma = (name: string) => Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
  return pragma('page_count') * pragma('page_size');
}
