/** A change of a row, as logical replication tells it, as a message. */
import type { Pgoutput } from 'pg-logical-replication';
import { queueRecord } from './records.ts';
import type { Message } from './source.ts';

export type Change = Pgoutput.MessageInsert | Pgoutput.MessageUpdate | Pgoutput.MessageDelete | Pgoutput.MessageTruncate;

/** The transaction that a change is part of. */
export interface Transaction {
  /** Where its commit stands in the log: no other has the same. */
  readonly commitLsn: string;
  readonly xid: number;
  /** Milliseconds since 1970. */
  readonly committedMs: number;
}

type Row = Readonly<Record<string, unknown>>;

/** @param number of the change in its transaction: so it has the same id whenever it comes */
export function messageOf(publication: string, { commitLsn, xid, committedMs }: Transaction, number: number, change: Change): Message {
  const id = `${commitLsn}-${number}`;
  const told = toldOf(change);
  const body = Buffer.from(JSON.stringify(told, jsonOf));
  const key = told.table === undefined ? undefined : `${told.schema}.${told.table} ${JSON.stringify(keyOf(change), jsonOf)}`;
  return {
    id,
    partition: publication,
    key,
    body,
    sentMs: committedMs,
    record: () =>
      queueRecord({
        messageId: id,
        kind: 'postgresql',
        origin: publication,
        body,
        sentMs: committedMs,
        deliveries: 1,
        key,
        attributes: { transaction: String(xid) },
        headers: {},
      }),
  };
}

interface Told {
  readonly operation: 'insert' | 'update' | 'delete' | 'truncate';
  readonly schema?: string | undefined;
  readonly table?: string;
  readonly new?: Row;
  /** As far as the table's replica identity has it. */
  readonly old?: Row;
  readonly tables?: readonly string[];
}

function toldOf(change: Change): Told {
  if (change.tag === 'truncate') return { operation: 'truncate', tables: change.relations.map(({ schema, name }) => `${schema}.${name}`) };
  const { schema, name: table } = change.relation;
  const old = change.tag === 'insert' ? undefined : (change.old ?? change.key ?? undefined);
  return {
    operation: change.tag,
    schema,
    table,
    ...(change.tag === 'delete' ? {} : { new: change.new }),
    ...(old === undefined ? {} : { old }),
  };
}

function keyOf(change: Change): Row {
  if (change.tag === 'truncate') return {};
  const row: Row = change.tag === 'delete' ? (change.key ?? change.old ?? {}) : change.new;
  return Object.fromEntries(change.relation.keyColumns.map((name) => [name, row[name]]));
}

/** Values as JSON has them: bytes as PostgreSQL writes them, times as ISO 8601, large numbers as texts; what was not sent is left out. */
function jsonOf(this: unknown, name: string, value: unknown): unknown {
  const raw = (this as Row)[name];
  if (raw instanceof Uint8Array) return `\\x${Buffer.from(raw).toString('hex')}`;
  return typeof value === 'bigint' ? value.toString() : value;
}
