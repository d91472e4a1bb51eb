import type { DatabaseSchema } from '../role/sqlite-database.ts';

const migrations: readonly string[] = [
  `
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    function TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'succeeded', 'dead-lettered', 'discarded')),
    accepted_ms INTEGER NOT NULL,
    since_ms INTEGER NOT NULL,
    due_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    token INTEGER NOT NULL DEFAULT 0,
    lease_until_ms INTEGER,
    ended_ms INTEGER,
    reason TEXT,
    error TEXT,
    result TEXT
  ) STRICT;
  -- One for each question that is asked again and again; each has only the events that it is about.
  CREATE INDEX events_due ON events (tenant, function, due_ms) WHERE state = 'waiting';
  CREATE INDEX events_next ON events (due_ms) WHERE state = 'waiting';
  CREATE INDEX events_leased ON events (lease_until_ms) WHERE state = 'running';
  CREATE INDEX events_dead ON events (tenant, id) WHERE state = 'dead-lettered';
  CREATE INDEX events_dead_of ON events (tenant, function, id) WHERE state = 'dead-lettered';
  CREATE INDEX events_ended ON events (ended_ms) WHERE state IN ('succeeded', 'discarded');

  -- Apart, since SQLite writes a row anew, whatever changes in it.
  CREATE TABLE payloads (
    seq INTEGER PRIMARY KEY REFERENCES events (seq) ON DELETE CASCADE,
    request TEXT NOT NULL,
    body BLOB NOT NULL
  ) STRICT;

  -- Kept by triggers, since to count a million rows takes its time.
  CREATE TABLE counts (
    tenant TEXT NOT NULL, function TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (tenant, function, state)
  ) STRICT, WITHOUT ROWID;
  CREATE TRIGGER counted_in AFTER INSERT ON events BEGIN
    INSERT INTO counts VALUES (new.tenant, new.function, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER counted_on AFTER UPDATE OF state ON events WHEN new.state <> old.state BEGIN
    UPDATE counts SET n = n - 1 WHERE tenant = old.tenant AND function = old.function AND state = old.state;
    INSERT INTO counts VALUES (new.tenant, new.function, new.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
  END;
  CREATE TRIGGER counted_out AFTER DELETE ON events BEGIN
    UPDATE counts SET n = n - 1 WHERE tenant = old.tenant AND function = old.function AND state = old.state;
  END;
  `,
  `
  CREATE TABLE timers (
    tenant TEXT NOT NULL,
    function TEXT NOT NULL,
    timer TEXT NOT NULL,
    declared TEXT NOT NULL,
    since_ms INTEGER NOT NULL,
    last_ms INTEGER,
    next_ms INTEGER,
    PRIMARY KEY (tenant, function, timer)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX timers_next ON timers (next_ms) WHERE next_ms IS NOT NULL;

  -- Of the events with one order key, all but the first are held.
  ALTER TABLE events ADD COLUMN order_key TEXT;
  ALTER TABLE events ADD COLUMN is_held INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX events_ordered ON events (tenant, function, order_key, seq) WHERE order_key IS NOT NULL AND state IN ('waiting', 'running');
  ALTER TABLE events ADD COLUMN way TEXT NOT NULL DEFAULT 'gateway' CHECK (way IN ('gateway', 'webhook'));
  ALTER TABLE events ADD COLUMN hops INTEGER NOT NULL DEFAULT 0;
  DROP INDEX events_due;
  DROP INDEX events_next;
  CREATE INDEX events_due ON events (tenant, function, way, due_ms) WHERE state = 'waiting' AND is_held = 0;
  CREATE INDEX events_next ON events (due_ms) WHERE state = 'waiting' AND is_held = 0;

  CREATE TABLE idempotency (
    tenant TEXT NOT NULL,
    function TEXT NOT NULL,
    key TEXT NOT NULL,
    id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, function, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_over ON idempotency (until_ms);
  `,
];

/** The events that were accepted. It is marked with "SWEV". */
export const eventSchema: DatabaseSchema = {
  name: 'event log',
  applicationId: 0x53574556,
  migrations,
  remedy: 'Restore the file from a backup, or move it away to start without the events in it.',
};
