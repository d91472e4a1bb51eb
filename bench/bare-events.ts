/**
 * The baseline of `event-accept`: callers that have the rows of accepted events written by the log's own group commit, and nothing else –
 * no process between, no schema, no limits. `node bare-events.ts <folder> <callers> <ms>`; prints how many were written in a second.
 */
import { randomUUIDv7 } from 'node:crypto';
import { join } from 'node:path';
import { GroupCommit } from '../src/events/group-commit.ts';
import { openEventDatabase } from '../src/events/sqlite-event-log.ts';

const [folder = '', callers = '', limitMs = ''] = process.argv.slice(2);
const database = openEventDatabase(join(folder, 'events.sqlite'));
const commits = new GroupCommit({
  database,
  now: () => performance.now(),
  committed: () => undefined,
  broken: (error) => {
    throw error;
  },
});
const insertEvent = database.prepare(
  "INSERT INTO events (id, tenant, function, state, accepted_ms, since_ms, due_ms) VALUES (?, 'default', 'bench', 'waiting', ?, ?, ?) RETURNING seq",
);
const insertPayload = database.prepare('INSERT INTO payloads (seq, request, body) VALUES (?, ?, ?)');
const headers = ['host', 'bench', 'content-type', 'text/plain'];
const request = JSON.stringify({ kind: 'http', method: 'POST', target: '/', sourceIp: '127.0.0.1', headers });
const body = Buffer.alloc(1_024, 'x');

const startedAt = performance.now();
let written = 0;
const caller = async () => {
  while (performance.now() - startedAt < Number(limitMs)) {
    const now = Date.now();
    await commits.write(() => {
      const row = insertEvent.get(randomUUIDv7(), now, now, now);
      insertPayload.run(Number(row?.['seq']), request, body);
    });
    written += 1;
  }
};
await Promise.all(Array.from({ length: Number(callers) }, caller));
process.stdout.write(`${(written * 1_000) / (performance.now() - startedAt)}\n`);
database.close();
