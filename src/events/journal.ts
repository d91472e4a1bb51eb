/**
 * Where the changes of an event log are made durable when that is elsewhere than on the disk of its process. An append-only list of
 * transactions, with these promises:
 * - What `append` resolves for outlives a kill of every process and a crash of every host that the journal is promised to outlive.
 * - A transaction is appended after the one that its writer has seen last, or not at all: of two writers one is outrun.
 * - `read` gives whole transactions in their order. One whose writer died in the middle is not there.
 */
export interface Entry {
  /** Its place, which is above that of the one before it. */
  readonly seq: number;
  readonly changes: Uint8Array;
}

export interface Snapshot {
  /** A file with the whole state after the transaction of this place. */
  readonly path: string;
  readonly seq: number;
}

export interface Journal extends AsyncDisposable {
  /** Tells this journal from any other that ever had its name. */
  readonly id: string;
  /**
   * @param after the place of the last transaction that the changes build on
   * @returns its place
   * @throws Outrun when others came first: nothing was appended. SwiftletError when that is not known, StorageFull when there is no room
   */
  append(changes: Uint8Array, after: number): Promise<number>;
  /** The transactions after a place, oldest first. @throws Error when some of them are there no more */
  read(after: number): AsyncIterable<Entry>;
  /** Puts the newest snapshot into a file. @returns its place; undefined when there is none */
  restore(path: string): Promise<number | undefined>;
  /** Keeps a snapshot, and lets go of what it makes needless. */
  keep(snapshot: Snapshot): Promise<void>;
}

/** Another writer has appended meanwhile. */
export class Outrun extends Error {
  override readonly name = 'Outrun';
}
