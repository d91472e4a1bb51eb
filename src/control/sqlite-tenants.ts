/** Tenants in control's database. */
import type { SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { quotaExceeded, type Tenant, type TenantSettings, tenantSettingsSchema } from '../model/tenant.ts';
import type { Change, PublishedTenant } from '../wire/published-state.ts';
import type { Commit } from './sqlite-commit.ts';
import { tenantMissing } from './tenant-missing.ts';
import type { StoredUse, TenantRemoved, TenantSet, TenantStore } from './tenant-store.ts';

const bytesPerMiB = 1024 * 1024;

const rowSchema = z
  .object({
    name: z.string(),
    settings: z
      .string()
      .transform((text): unknown => JSON.parse(text))
      .pipe(tenantSettingsSchema),
    createdAt: z.string(),
  })
  .transform(({ name, settings, createdAt }): Tenant => ({ name, createdAt, ...settings }));

/** As a part of somebody's transaction. */
export function findTenant(sql: SQLTagStore, name: string): Tenant | undefined {
  const row = sql.get`SELECT name, settings, created_at AS createdAt FROM tenants WHERE name = ${name} AND removed_at IS NULL`;
  return row === undefined ? undefined : rowSchema.parse(row);
}

/** @throws SwiftletError TenantNotFound; QuotaExceeded when a tenant may have no further function */
export function demandFunctionRoom(sql: SQLTagStore, name: string, function_: string): void {
  const limit = demandTenant(sql, name).quotas.functions;
  if (limit === undefined) return;
  const others = Number(sql.get`SELECT count(*) AS n FROM functions WHERE tenant = ${name} AND name <> ${function_}`?.['n']);
  if (others + 1 > limit) throw quotaExceeded(name, 'functions', limit, `"${function_}" would be one more`);
}

/** @throws SwiftletError TenantNotFound; QuotaExceeded when a tenant has no room for an artifact of so many bytes */
export function demandStorageRoom(sql: SQLTagStore, name: string, digest: string, bytes: number): void {
  const limit = demandTenant(sql, name).quotas.storageMiB;
  if (limit === undefined) return;
  const others = Number(sql.get`SELECT coalesce(sum(size), 0) AS n FROM artifacts WHERE tenant = ${name} AND digest <> ${digest}`?.['n']);
  if (others + bytes > limit * bytesPerMiB) throw quotaExceeded(name, 'storageMiB', limit, `this artifact has ${bytes} bytes`);
}

function demandTenant(sql: SQLTagStore, name: string): Tenant {
  const tenant = findTenant(sql, name);
  if (tenant === undefined) throw tenantMissing(name);
  return tenant;
}

export class SqliteTenants implements TenantStore {
  readonly #sql: SQLTagStore;
  readonly #commit: Commit;

  constructor(sql: SQLTagStore, commit: Commit) {
    this.#sql = sql;
    this.#commit = commit;
  }

  set(name: string, settings: TenantSettings, createdAt: string, isNew: boolean): Promise<TenantSet> {
    return this.#commit.change<TenantSet>((nextRevision) => {
      const before = findTenant(this.#sql, name);
      if (before !== undefined && isNew) return { result: { kind: 'exists' } };
      if (before === undefined) this.#demandUnused(name);
      this.#sql.run`
        INSERT INTO tenants (name, settings, created_at) VALUES (${name}, ${JSON.stringify(settings)}, ${createdAt})
        ON CONFLICT DO UPDATE SET settings = excluded.settings`;
      const tenant: Tenant = { ...settings, name, createdAt: before?.createdAt ?? createdAt };
      const revision = nextRevision();
      const change: Change = { revision, change: { kind: 'tenant set', tenant: publishedTenant(tenant) } };
      return { result: { kind: before === undefined ? 'created' : 'changed', tenant, revision }, change };
    });
  }

  remove(name: string, removedAt: string): Promise<TenantRemoved | undefined> {
    return this.#commit.change<TenantRemoved | undefined>((nextRevision) => {
      if (findTenant(this.#sql, name) === undefined) return { result: undefined };
      const { functions } = this.#use(name);
      if (functions > 0) return { result: { kind: 'in use', functions } };
      this.#sql.run`UPDATE tenants SET removed_at = ${removedAt} WHERE name = ${name}`;
      this.#sql.run`DELETE FROM tokens WHERE tenant = ${name}`;
      this.#sql.run`DELETE FROM secrets WHERE tenant = ${name}`;
      this.#sql.run`DELETE FROM networks WHERE tenant = ${name}`;
      this.#sql.run`DELETE FROM pools WHERE tenant = ${name}`;
      const revision = nextRevision();
      return { result: { kind: 'removed', revision }, change: { revision, change: { kind: 'tenant removed', name } } };
    });
  }

  find(name: string): Promise<Tenant | undefined> {
    return this.#commit.read(() => findTenant(this.#sql, name));
  }

  list({ limit, after = '' }: { limit: number; after?: string }): Promise<Tenant[]> {
    return this.#commit.read(() =>
      this.#sql.all`
        SELECT name, settings, created_at AS createdAt FROM tenants
        WHERE removed_at IS NULL AND name > ${after} ORDER BY name LIMIT ${limit}`.map((row) => rowSchema.parse(row)),
    );
  }

  use(name: string): Promise<StoredUse> {
    return this.#commit.read(() => this.#use(name));
  }

  /** Of all tenants, for the snapshot. */
  published(): PublishedTenant[] {
    return this.#sql.all`SELECT name, settings, created_at AS createdAt FROM tenants WHERE removed_at IS NULL`.map((row) =>
      publishedTenant(rowSchema.parse(row)),
    );
  }

  #use(name: string): StoredUse {
    const functions = Number(this.#sql.get`SELECT count(*) AS n FROM functions WHERE tenant = ${name}`?.['n']);
    const storageBytes = Number(this.#sql.get`SELECT coalesce(sum(size), 0) AS n FROM artifacts WHERE tenant = ${name}`?.['n']);
    return { functions, storageBytes };
  }

  /** @throws SwiftletError Conflict */
  #demandUnused(name: string): void {
    if (this.#sql.get`SELECT 1 FROM tenants WHERE name = ${name}` === undefined) return;
    throw new SwiftletError(
      'Conflict',
      `a tenant "${name}" was removed, and what it used is still kept under this name; choose another one, so that nobody sees what was somebody else's`,
    );
  }
}

const publishedTenant = ({ name, quotas, cpuWeight, urls }: Tenant): PublishedTenant => ({ name, quotas, cpuWeight, urls });
