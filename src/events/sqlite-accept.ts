/** How an event gets into the tables. */
import type { SQLTagStore } from 'node:sqlite';
import type { Acceptance, EventWay, NewEvent } from './event-log.ts';

/** Accepts an event, as a part of somebody's transaction. */
export function acceptEvent(sql: SQLTagStore, event: NewEvent): Acceptance {
  const { idempotency, tenant, function: name, id, acceptedMs } = event;
  if (idempotency === undefined) return insertEvent(sql, event);
  const { key, fingerprint, untilMs } = idempotency;
  const earlier = sql.get`
    SELECT id, fingerprint FROM idempotency
    WHERE tenant = ${tenant} AND function = ${name} AND key = ${key} AND until_ms > ${acceptedMs}`;
  if (earlier !== undefined)
    return earlier['fingerprint'] === fingerprint ? { kind: 'repeated', id: String(earlier['id']) } : { kind: 'reused' };
  sql.run`
    INSERT OR REPLACE INTO idempotency (tenant, function, key, id, fingerprint, until_ms)
    VALUES (${tenant}, ${name}, ${key}, ${id}, ${fingerprint}, ${untilMs})`;
  return insertEvent(sql, event);
}

/** One whose id is there already changes nothing. One with an order key that others have before it is held until they have ended. */
function insertEvent(sql: SQLTagStore, event: NewEvent): Acceptance {
  const { id, tenant, function: name, acceptedMs, dueMs = acceptedMs, request, body, orderKey, hops = 0, end } = event;
  const way = wayOf(event);
  const isHeld = orderKey !== undefined && hasOthers(sql, tenant, name, orderKey);
  const row = sql.get`
    INSERT INTO events (id, tenant, function, state, accepted_ms, since_ms, due_ms, order_key, is_held, way, hops, attempts, ended_ms, reason, error)
    VALUES (${id}, ${tenant}, ${name}, ${end?.kind ?? 'waiting'}, ${acceptedMs}, ${dueMs}, ${dueMs}, ${orderKey ?? null}, ${Number(isHeld)},
      ${way}, ${hops}, ${end?.attempts ?? 0}, ${end?.atMs ?? null}, ${end?.reason ?? null}, ${end === undefined ? null : JSON.stringify(end.error)})
    ON CONFLICT (id) DO NOTHING RETURNING seq`;
  if (row !== undefined)
    sql.run`INSERT INTO payloads (seq, request, body) VALUES (${Number(row['seq'])}, ${JSON.stringify(request)}, ${body})`;
  return { kind: 'stored' };
}

const wayOf = ({ request }: NewEvent): EventWay => (request.kind === 'webhook' || request.kind === 'queue' ? 'webhook' : 'gateway');

const hasOthers = (sql: SQLTagStore, tenant: string, name: string, orderKey: string): boolean =>
  sql.get`
    SELECT 1 FROM events WHERE tenant = ${tenant} AND function = ${name} AND order_key = ${orderKey} AND state IN ('waiting', 'running')
    LIMIT 1` !== undefined;
