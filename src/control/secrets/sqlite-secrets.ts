/** Secrets in control's database, sealed. */
import type { SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import type { RemovedSecret, SealedSecret, Sealing, SecretRecord, SecretStore } from './secret-store.ts';

const bytes = z.instanceof(Uint8Array).transform((array) => Buffer.from(array));
const recordSchema = z.object({
  tenant: z.string(),
  name: z.string(),
  version: z.int(),
  createdAt: z.string(),
  changedAt: z.string(),
});
const sealedSchema = recordSchema
  .extend({ rootKeyId: z.string(), wrappedKey: bytes, sealed: bytes })
  .transform(({ rootKeyId, wrappedKey, sealed, ...record }) => ({ ...record, value: { rootKeyId, wrappedKey, sealed } }));

export interface SqliteSecretsMeans {
  /** Prepared statements of the database. */
  readonly sql: SQLTagStore;
  readonly read: <T>(work: () => T) => Promise<T>;
  /** Carries out a write as a whole or not at all. */
  readonly write: <T>(work: () => T) => Promise<T>;
  /** Names of a tenant's functions by the secret that they refer to, in versions that requests may go to. */
  readonly users: (tenant: string) => ReadonlyMap<string, readonly string[]>;
}

export class SqliteSecrets implements SecretStore {
  readonly #means: SqliteSecretsMeans;
  readonly #sql: SQLTagStore;

  constructor(means: SqliteSecretsMeans) {
    this.#means = means;
    this.#sql = means.sql;
  }

  list(tenant: string): Promise<SecretRecord[]> {
    return this.#means.read(() =>
      this.#sql.all`
        SELECT tenant, name, version, created_at AS createdAt, changed_at AS changedAt
        FROM secrets WHERE tenant = ${tenant} ORDER BY name`.map((row) => recordSchema.parse(row)),
    );
  }

  find(tenant: string, name: string): Promise<SealedSecret | undefined> {
    return this.#means.read(() => {
      const row = this.#sql.get`
        SELECT tenant, name, version, created_at AS createdAt, changed_at AS changedAt, root_key AS rootKeyId, wrapped_key AS wrappedKey, sealed
        FROM secrets WHERE tenant = ${tenant} AND name = ${name}`;
      return row === undefined ? undefined : sealedSchema.parse(row);
    });
  }

  all(): Promise<SealedSecret[]> {
    return this.#means.read(() => this.#all());
  }

  create(tenant: string, name: string, seal: Sealing, at: string): Promise<SecretRecord | undefined> {
    return this.#means.write(() => {
      if (this.#version(tenant, name) !== undefined) return undefined;
      const version = this.#nextVersion(tenant, name);
      const { rootKeyId, wrappedKey, sealed } = seal(version);
      this.#sql.run`
        INSERT INTO secrets (tenant, name, version, created_at, changed_at, root_key, wrapped_key, sealed)
        VALUES (${tenant}, ${name}, ${version}, ${at}, ${at}, ${rootKeyId}, ${wrappedKey}, ${sealed})`;
      return { tenant, name, version, createdAt: at, changedAt: at };
    });
  }

  replace(tenant: string, name: string, seal: Sealing, at: string): Promise<SecretRecord | undefined> {
    return this.#means.write(() => {
      if (this.#version(tenant, name) === undefined) return undefined;
      const version = this.#nextVersion(tenant, name);
      const { rootKeyId, wrappedKey, sealed } = seal(version);
      const row = this.#sql.get`
        UPDATE secrets SET version = ${version}, changed_at = ${at}, root_key = ${rootKeyId}, wrapped_key = ${wrappedKey}, sealed = ${sealed}
        WHERE tenant = ${tenant} AND name = ${name}
        RETURNING tenant, name, version, created_at AS createdAt, changed_at AS changedAt`;
      return recordSchema.parse(row);
    });
  }

  remove(tenant: string, name: string): Promise<RemovedSecret> {
    return this.#means.write(() => {
      const version = this.#version(tenant, name);
      if (version === undefined) return { kind: 'missing' };
      const functions = this.#means.users(tenant).get(name) ?? [];
      if (functions.length > 0) return { kind: 'in use', functions };
      this.#sql.run`DELETE FROM secrets WHERE tenant = ${tenant} AND name = ${name}`;
      return { kind: 'removed', version };
    });
  }

  users(tenant: string): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#means.read(() => this.#means.users(tenant));
  }

  rewrapAll(rewrap: Parameters<SecretStore['rewrapAll']>[0]): Promise<number> {
    return this.#means.write(() => {
      let changed = 0;
      for (const secret of this.#all()) {
        const value = rewrap(secret);
        if (value === undefined) continue;
        this.#sql.run`
          UPDATE secrets SET root_key = ${value.rootKeyId}, wrapped_key = ${value.wrappedKey}
          WHERE tenant = ${secret.tenant} AND name = ${secret.name} AND version = ${secret.version}`;
        changed += 1;
      }
      return changed;
    });
  }

  /** Those of these names that are not set. */
  missing(tenant: string, names: readonly string[]): string[] {
    return names.filter((name) => this.#version(tenant, name) === undefined);
  }

  #all(): SealedSecret[] {
    return this.#sql.all`
      SELECT tenant, name, version, created_at AS createdAt, changed_at AS changedAt, root_key AS rootKeyId, wrapped_key AS wrappedKey, sealed
      FROM secrets ORDER BY tenant, name`.map((row) => sealedSchema.parse(row));
  }

  #version(tenant: string, name: string): number | undefined {
    const row = this.#sql.get`SELECT version FROM secrets WHERE tenant = ${tenant} AND name = ${name}`;
    return row === undefined ? undefined : Number(row['version']);
  }

  #nextVersion(tenant: string, name: string): number {
    const row = this.#sql.get`
      INSERT INTO secret_numbers (tenant, name, last) VALUES (${tenant}, ${name}, 1)
      ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last`;
    return Number(row?.['last']);
  }
}
