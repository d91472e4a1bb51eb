/** How an event gets into the tables. */
import type { SQLTagStore } from 'node:sqlite';
import type { NewEvent } from './event-log.ts';

/** Inserts an event, as a part of somebody's transaction; one whose id is there already changes nothing. */
export function insertEvent(sql: SQLTagStore, event: NewEvent): void {
  const { id, tenant, function: name, acceptedMs, dueMs = acceptedMs, request, body } = event;
  const row = sql.get`
    INSERT INTO events (id, tenant, function, state, accepted_ms, since_ms, due_ms)
    VALUES (${id}, ${tenant}, ${name}, 'waiting', ${acceptedMs}, ${dueMs}, ${dueMs})
    ON CONFLICT (id) DO NOTHING RETURNING seq`;
  if (row === undefined) return;
  sql.run`INSERT INTO payloads (seq, request, body) VALUES (${Number(row['seq'])}, ${JSON.stringify(request)}, ${body})`;
}
