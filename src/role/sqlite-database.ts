/** A role's own database: opened, checked, brought to this release's schema; and its transactions. */
import { existsSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { SwiftletError } from '../model/errors.ts';

const sqliteFull = 13;
/** I/O error, damaged, no database. */
const sqliteBroken: readonly number[] = [10, 11, 26];
const waitForLockMs = 5_000;
/** A larger file is not read through at each start; damage in it is found where it is met. */
const largestChecked = 256 * 1024 * 1024;

/** What a role keeps in a database. */
export interface DatabaseSchema {
  /** What it is called in messages. */
  readonly name: string;
  /** Marks the file as ours. */
  readonly applicationId: number;
  /** Each brings the database from the version of its index to the next. Those that were released are never changed. */
  readonly migrations: readonly string[];
  /** What an operator can do about a file that cannot be used. */
  readonly remedy: string;
}

export interface OpenedDatabase {
  readonly database: DatabaseSync;
  /** Whether there was none before. */
  readonly isNew: boolean;
}

/**
 * Opens a database, or makes it. What it acknowledges is on the disk: it writes ahead, and syncs at each commit.
 * @throws Error that says what is wrong with it and what to do, when it is damaged or of a newer release; it is left as it was.
 *   SwiftletError StorageFull
 */
export function openDatabase(path: string, schema: DatabaseSchema): OpenedDatabase {
  let database: DatabaseSync | undefined;
  try {
    const isSmall = !existsSync(path) || statSync(path).size <= largestChecked;
    database = new DatabaseSync(path, { timeout: waitForLockMs });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    const check = isSmall ? database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'] : 'ok';
    if (check !== 'ok') throw new Error(String(check));
    return { database, isNew: migrate(database, schema) };
  } catch (error) {
    database?.close();
    if (isFull(error)) throw diskFull(error);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`the ${schema.name} ${path} cannot be used: ${reason}. Nothing was changed. ${schema.remedy}`, { cause: error });
  }
}

/** Carries out writes as a whole or not at all. @throws SwiftletError StorageFull when the disk is full */
export function transact<T>(database: DatabaseSync, work: () => T): T {
  try {
    database.exec('BEGIN IMMEDIATE');
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
    throw storeError(error);
  }
}

/** @returns whether it was new */
function migrate(database: DatabaseSync, { applicationId, migrations }: DatabaseSchema): boolean {
  const version = pragma(database, 'user_version');
  const isNew = version === 0 && pragma(database, 'schema_version') === 0;
  if (!isNew && pragma(database, 'application_id') !== applicationId) throw new Error('it is a database of something else');
  if (version > migrations.length) {
    throw new Error(`it was written by a newer Swiftlet (schema ${version}, this one knows ${migrations.length}); start that one`);
  }
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${migration}; PRAGMA user_version = ${index + 1}; PRAGMA application_id = ${applicationId}; COMMIT`);
  }
  return isNew;
}

function pragma(database: DatabaseSync, name: 'user_version' | 'schema_version' | 'application_id'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

const storeError = (error: unknown): unknown => (isFull(error) ? diskFull(error) : error);

/** Whether the file or its disk can be trusted no more until it is opened anew: what was written last may be there or not. */
export const isBroken = (error: unknown): boolean => sqliteBroken.includes(primaryCode(error));

const isFull = (error: unknown): boolean => primaryCode(error) === sqliteFull;

/** SQLite's own code, without what it adds to it; 0 for what is not its error. */
const primaryCode = (error: unknown): number => (error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0);

const diskFull = (cause: unknown): SwiftletError =>
  new SwiftletError('StorageFull', 'the disk that holds the store is full; free some space and try again', { cause });
