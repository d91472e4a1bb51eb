import type { DatabaseSync } from 'node:sqlite';

/** Marks the file as ours: "SWFT". */
const applicationId = 0x53574654;

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
];

/**
 * Brings a database to this release's schema.
 * @returns whether it was new
 * @throws Error when it was written by a newer release, or is not a store of Swiftlet's
 */
export function migrate(database: DatabaseSync): boolean {
  const version = pragma(database, 'user_version');
  const isNew = version === 0 && pragma(database, 'schema_version') === 0;
  if (!isNew && pragma(database, 'application_id') !== applicationId) throw new Error('it is a database of something else');
  if (version > migrations.length) {
    throw new Error(`it was written by a newer Swiftlet (schema ${version}, this one knows ${migrations.length}); start that one`);
  }
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${migration}; PRAGMA user_version = ${index + 1}; PRAGMA application_id = ${applicationId}; COMMIT`);
  }
  return isNew;
}

function pragma(database: DatabaseSync, name: 'user_version' | 'schema_version' | 'application_id'): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
