import { DatabaseSync } from 'node:sqlite';
import { SwiftletError } from '../model/errors.ts';
import { migrate } from './sqlite-schema.ts';

const sqliteFull = 13;
const waitForLockMs = 5_000;

export interface OpenedDatabase {
  readonly database: DatabaseSync;
  /** Whether there was none before. */
  readonly isNew: boolean;
}

/**
 * Opens the database of a store, or makes it.
 * @throws Error that says what is wrong with it and what to do, when it is damaged or of a newer release; it is left as it was.
 *   SwiftletError StorageFull
 */
export function openDatabase(path: string): OpenedDatabase {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: waitForLockMs });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON');
    const check = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
    if (check !== 'ok') throw new Error(String(check));
    return { database, isNew: migrate(database) };
  } catch (error) {
    database?.close();
    if (isFull(error)) throw diskFull(error);
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = 'Nothing was changed. Restore the file from a backup, or move it and the artifacts away to start empty.';
    throw new Error(`the store ${path} cannot be used: ${reason}. ${remedy}`, { cause: error });
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

const storeError = (error: unknown): unknown => (isFull(error) ? diskFull(error) : error);

const isFull = (error: unknown): boolean => error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === sqliteFull;

const diskFull = (cause: unknown): SwiftletError =>
  new SwiftletError('StorageFull', 'the disk that holds the store is full; free some space and try again', { cause });
