/**
 * The event log on NATS JetStream. What is accepted is durable in a stream, synced and copied as its servers are told to; SQLite on this
 * host's disk is the index in which events are found, and is made anew from the stream where it is missing. Another host can go on with it.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import type { Logger } from 'pino';
import { Journalled } from './journalled.ts';
import { type NatsJournalOptions, openNatsJournal } from './nats-journal.ts';
import { endLeases, openEventDatabase, SqliteEventLog, type SqliteEventLogMeans } from './sqlite-event-log.ts';

export interface NatsEventLogMeans extends Omit<SqliteEventLogMeans, 'broken'> {
  readonly nats: NatsJournalOptions;
  readonly log: Pick<Logger, 'error'>;
  /** Bytes by which the stream may grow before a snapshot takes its place. */
  readonly growthBytes?: number;
}

/**
 * @param path the index
 * @throws SwiftletError Unavailable when NATS cannot be used; Error when the index is of another stream
 */
export async function openNatsEventLog(path: string, { nats, log, growthBytes, ...means }: NatsEventLogMeans): Promise<SqliteEventLog> {
  await using opened = new AsyncDisposableStack();
  const journal = opened.use(await openNatsJournal(nats));
  const snapshotPath = `${path}.snapshot`;
  if (!existsSync(path) && (await journal.restore(snapshotPath)) !== undefined) renameSync(snapshotPath, path);
  rmSync(snapshotPath, { force: true });
  const database = openEventDatabase(path, 'NORMAL');
  opened.defer(() => database.close());
  const trouble = (error: unknown, what: string) => log.error({ err: error }, what);
  const journalled = new Journalled({ database, journal, snapshotPath, trouble, ...(growthBytes === undefined ? {} : { growthBytes }) });
  await journalled.catchUp();
  await journalled.transact(() => database.exec(endLeases));
  // From here on all of it is the log's.
  opened.move();
  return new SqliteEventLog(database, {
    ...means,
    broken: (error) => trouble(error, 'the index of the event log failed'),
    transact: (work) => journalled.transact(work),
    ending: async () => {
      await journalled.settled();
      await journal[Symbol.asyncDispose]();
    },
  });
}
