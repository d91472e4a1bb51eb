import type { Anchor, Attempt, AuditEntry, AuditRecord } from '../../model/audit.ts';

export interface AuditPage {
  /** Only records after this one. */
  readonly after: number;
  readonly limit: number;
  /** Only those of this tenant; absent: all. */
  readonly tenant?: string;
}

/**
 * The audit records, which only grow at one end, and are let go of at the other. It is part of a Store and keeps its promises: what
 * resolves is on disk.
 */
export interface AuditStore {
  /** Writes down what is about to be tried, before it is. */
  begin(attempt: Attempt): Promise<void>;
  /** Attempts that were begun and not appended: control ended in between. */
  unfinished(): Promise<Attempt[]>;
  /** Puts entries at the end of the chain. What was begun under an entry's request id is finished with it. */
  append(entries: readonly AuditEntry[]): Promise<AuditRecord[]>;
  /** The end of the chain; the anchor when it is empty. */
  head(): Promise<Anchor>;
  /** Where the chain begins. */
  anchor(): Promise<Anchor>;
  /** Records as they were stored, a line each, oldest first. */
  lines(page: AuditPage): Promise<{ readonly seq: number; readonly line: string }[]>;
  /** The number after which there are so many records left; what `lines` is asked with for the last ones. */
  before(count: number, tenant?: string): Promise<number>;
  /** Lets go of all records up to this one, which becomes the anchor. */
  trim(upTo: number): Promise<void>;
}
