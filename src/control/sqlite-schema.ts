import type { DatabaseSchema } from '../role/sqlite-database.ts';

/** Each brings the store from the version of its index to the next. Those that were released are never changed. */
const migrations: readonly string[] = [
  `
  CREATE TABLE published (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
  INSERT INTO published VALUES (1, 0);

  CREATE TABLE artifacts (
    tenant TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, files TEXT NOT NULL, touched_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest)
  ) STRICT, WITHOUT ROWID;

  -- Outlives the function, so that no number is given twice.
  CREATE TABLE numbers (tenant TEXT NOT NULL, function TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (tenant, function)) STRICT, WITHOUT ROWID;

  CREATE TABLE functions (
    tenant TEXT NOT NULL, name TEXT NOT NULL, created_at TEXT NOT NULL, serving INTEGER NOT NULL,
    PRIMARY KEY (tenant, name),
    FOREIGN KEY (tenant, name, serving) REFERENCES versions (tenant, function, number) DEFERRABLE INITIALLY DEFERRED
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE versions (
    tenant TEXT NOT NULL, function TEXT NOT NULL, number INTEGER NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL,
    config TEXT NOT NULL, created_at TEXT NOT NULL,
    PRIMARY KEY (tenant, function, number),
    FOREIGN KEY (tenant, function) REFERENCES functions (tenant, name) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant, digest) REFERENCES artifacts (tenant, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX versions_by_digest ON versions (tenant, digest);
  `,
  `
  -- Aliases and the last rollout. The version that serves is the one that most of the alias "live" goes to.
  CREATE TABLE traffic (
    tenant TEXT NOT NULL, function TEXT NOT NULL, state TEXT NOT NULL, is_moving INTEGER NOT NULL,
    PRIMARY KEY (tenant, function),
    FOREIGN KEY (tenant, function) REFERENCES functions (tenant, name) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX traffic_moving ON traffic (is_moving) WHERE is_moving = 1;
  INSERT INTO traffic SELECT tenant, name, json_object(
    'live', json_object('versions', json_array(json_object('version', serving, 'weight', 100)), 'updatedAt', created_at),
    'others', json_object()
  ), 0 FROM functions;
  `,
];

/** The store of control. It is marked with "SWFT". */
export const storeSchema: DatabaseSchema = {
  name: 'store',
  applicationId: 0x53574654,
  migrations,
  remedy: 'Restore the file from a backup, or move it and the artifacts away to start empty.',
};
