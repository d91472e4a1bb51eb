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
  `
  -- A name is never given again: what its tenant used, and its dead letters, are kept under it.
  CREATE TABLE tenants (name TEXT PRIMARY KEY, settings TEXT NOT NULL, created_at TEXT NOT NULL, removed_at TEXT) STRICT, WITHOUT ROWID;
  INSERT INTO tenants (name, settings, created_at) SELECT tenant, '{}', strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
    FROM (SELECT 'default' AS tenant UNION SELECT tenant FROM functions UNION SELECT tenant FROM artifacts);

  -- The tokens themselves are nowhere.
  CREATE TABLE tokens (
    id TEXT PRIMARY KEY, tenant TEXT NOT NULL, name TEXT NOT NULL, hash TEXT NOT NULL, rights TEXT NOT NULL, expires_at TEXT,
    created_at TEXT NOT NULL, created_by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX tokens_by_tenant ON tokens (tenant, created_at);
  `,
  `
  -- Values are sealed, each by a key of its own that the root key wraps: see secrets/seal.ts.
  CREATE TABLE secrets (
    tenant TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, created_at TEXT NOT NULL, changed_at TEXT NOT NULL,
    root_key TEXT NOT NULL, wrapped_key BLOB NOT NULL, sealed BLOB NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT, WITHOUT ROWID;
  -- Outlives the secret, so that no number is given twice.
  CREATE TABLE secret_numbers (tenant TEXT NOT NULL, name TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (tenant, name)) STRICT, WITHOUT ROWID;

  -- Hash-chained: see model/audit.ts.
  CREATE TABLE audit (seq INTEGER PRIMARY KEY, tenant TEXT NOT NULL, record TEXT NOT NULL) STRICT;
  CREATE INDEX audit_by_tenant ON audit (tenant, seq);
  -- Requests that were begun and have no record yet.
  CREATE TABLE audit_open (request_id TEXT PRIMARY KEY, attempt TEXT NOT NULL) STRICT, WITHOUT ROWID;
  -- Where the chain begins: what was before has been let go.
  CREATE TABLE audit_anchor (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
  `,
  `
  -- Private networks; a number tells them apart on hosts.
  CREATE TABLE networks (
    tenant TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL UNIQUE, settings TEXT NOT NULL, created_at TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- What AWS Lambda's API says of a function beside what a version has: see lambda/lambda-record.ts.
  CREATE TABLE lambda_records (
    tenant TEXT NOT NULL, function TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (tenant, function),
    FOREIGN KEY (tenant, function) REFERENCES functions (tenant, name) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Requests that functions take beside those for their own addresses: a host, or a tenant's mark and name; a path without its parameters' names.
  CREATE TABLE routes (
    scope TEXT NOT NULL, method TEXT NOT NULL, shape TEXT NOT NULL, tenant TEXT NOT NULL, function TEXT NOT NULL,
    PRIMARY KEY (scope, shape, method),
    FOREIGN KEY (tenant, function) REFERENCES functions (tenant, name) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX routes_by_function ON routes (tenant, function);
  `,
  `
  CREATE TABLE layers (
    tenant TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, notes TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant, name, version),
    FOREIGN KEY (tenant, digest) REFERENCES artifacts (tenant, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX layers_by_digest ON layers (tenant, digest);
  -- Outlives the layer, so that no number is given twice.
  CREATE TABLE layer_numbers (tenant TEXT NOT NULL, name TEXT NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (tenant, name)) STRICT, WITHOUT ROWID;

  -- What versions build on.
  CREATE TABLE version_layers (
    tenant TEXT NOT NULL, function TEXT NOT NULL, number INTEGER NOT NULL, layer TEXT NOT NULL, layer_version INTEGER NOT NULL,
    PRIMARY KEY (tenant, function, number, layer),
    FOREIGN KEY (tenant, function, number) REFERENCES versions (tenant, function, number) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (tenant, layer, layer_version) REFERENCES layers (tenant, name, version)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX version_layers_by_layer ON version_layers (tenant, layer, layer_version);
  ALTER TABLE versions ADD COLUMN layer_digests TEXT;
  `,
  `
  -- Custom pools.
  CREATE TABLE pools (
    tenant TEXT NOT NULL, name TEXT NOT NULL, settings TEXT NOT NULL, created_at TEXT NOT NULL,
    PRIMARY KEY (tenant, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE pool_layers (
    tenant TEXT NOT NULL, pool TEXT NOT NULL, layer TEXT NOT NULL, layer_version INTEGER NOT NULL,
    PRIMARY KEY (tenant, pool, layer),
    FOREIGN KEY (tenant, pool) REFERENCES pools (tenant, name) ON DELETE CASCADE,
    FOREIGN KEY (tenant, layer, layer_version) REFERENCES layers (tenant, name, version)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX pool_layers_by_layer ON pool_layers (tenant, layer, layer_version);
  ALTER TABLE versions ADD COLUMN pool TEXT;
  `,
  `
  -- What artifacts' files come to, and their parts, by which others are found that have the same.
  CREATE TABLE artifact_contents (
    tenant TEXT NOT NULL, digest TEXT NOT NULL, contents TEXT NOT NULL,
    PRIMARY KEY (tenant, digest),
    FOREIGN KEY (tenant, digest) REFERENCES artifacts (tenant, digest) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE artifact_parts (
    tenant TEXT NOT NULL, digest TEXT NOT NULL, content TEXT NOT NULL,
    PRIMARY KEY (tenant, digest, content),
    FOREIGN KEY (tenant, digest) REFERENCES artifacts (tenant, digest) ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX artifact_parts_by_content ON artifact_parts (tenant, content);
  `,
];

/** The store of control. It is marked with "SWFT". */
export const storeSchema: DatabaseSchema = {
  name: 'store',
  applicationId: 0x53574654,
  migrations,
  remedy: 'Restore the file from a backup, or move it and the artifacts away to start empty.',
};
