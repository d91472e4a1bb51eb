/**
 * The baseline of `event-accept`: a loop that writes the rows of accepted events, so many in a transaction, and does nothing else.
 * `node bare-events.ts <folder> <rows in a transaction> <ms>`; prints how many it wrote in a second.
 */
import { randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import { eventSchema } from '../src/events/sqlite-event-schema.ts';
import { openDatabase } from '../src/role/sqlite-database.ts';

const [folder = '', group = '', limitMs = ''] = process.argv.slice(2);
const { database } = openDatabase(join(folder, 'events.sqlite'), eventSchema);
const insertEvent = database.prepare(
  "INSERT INTO events (id, tenant, function, state, accepted_ms, since_ms, due_ms) VALUES (?, 'default', 'bench', 'waiting', ?, ?, ?) RETURNING seq",
);
const insertPayload = database.prepare('INSERT INTO payloads (seq, request, body) VALUES (?, ?, ?)');
const headers = ['host', 'bench', 'content-type', 'text/plain'];
const request = JSON.stringify({ kind: 'http', method: 'POST', target: '/', sourceIp: '127.0.0.1', headers });
const body = Buffer.alloc(1_024, 'x');

const startedAt = performance.now();
let rows = 0;
while (performance.now() - startedAt < Number(limitMs)) {
  database.exec('BEGIN IMMEDIATE');
  for (let at = 0; at < Number(group); at += 1) {
    const now = Date.now();
    const row = insertEvent.get(randomUUIDv7(), now, now, now);
    insertPayload.run(Number(row?.['seq']), request, body);
  }
  database.exec('COMMIT');
  rows += Number(group);
}
process.stdout.write(`${(rows * 1_000) / (performance.now() - startedAt)}\n`);
database.close();
