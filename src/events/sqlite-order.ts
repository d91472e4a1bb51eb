/**
 * Events in order: of all that wait with one order key, the first alone may be leased, and the others are held. So a backlog behind
 * a key costs nothing when it is asked what is due.
 */
import type { SQLTagStore } from 'node:sqlite';

/** After an event has ended: lets the next one with its order key go. A part of the transaction that ends it. */
export function releaseNext(sql: SQLTagStore, endedId: string): void {
  const ended = sql.get`SELECT tenant, function, order_key AS orderKey FROM events WHERE id = ${endedId} AND order_key IS NOT NULL`;
  if (ended === undefined) return;
  sql.run`
    UPDATE events SET is_held = 0 WHERE seq = (
      SELECT min(seq) FROM events WHERE tenant = ${ended['tenant'] ?? null} AND function = ${ended['function'] ?? null}
        AND order_key = ${ended['orderKey'] ?? null} AND state IN ('waiting', 'running'))`;
}

/** Before a dead letter waits again: holds it when others with its order key are there. A part of the transaction that redrives it. */
export function holdBehindOthers(sql: SQLTagStore, id: string): void {
  sql.run`
    UPDATE events AS e SET is_held = EXISTS (
      SELECT 1 FROM events o WHERE o.tenant = e.tenant AND o.function = e.function AND o.order_key = e.order_key
        AND o.state IN ('waiting', 'running'))
    WHERE id = ${id} AND state = 'dead-lettered' AND order_key IS NOT NULL`;
}
