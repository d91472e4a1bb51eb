/** Custom pools in control's database. */
import type { SQLTagStore } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type PoolSettings, poolSettingsSchema, type VersionPool } from '../../model/custom-pool.ts';
import { SwiftletError } from '../../model/errors.ts';
import type { FunctionConfig } from '../../model/function.ts';
import { parseLayer } from '../../model/layer.ts';
import { maxCustomPools, maxLayers } from '../../model/limits.ts';
import { memoryClassOf } from '../../model/memory-class.ts';
import type { LayerRecord } from '../layers/layer-store.ts';
import type { SqliteLayers } from '../layers/sqlite-layers.ts';
import type { PoolMade, PoolRecord, PoolRemoved, PoolStore } from './pool-store.ts';
import { poolMissing, poolUnfit } from './refusals.ts';

const rowSchema = z
  .object({
    tenant: z.string(),
    name: z.string(),
    settings: z
      .string()
      .transform((text): unknown => JSON.parse(text))
      .pipe(poolSettingsSchema),
    createdAt: z.string(),
  })
  .transform(({ settings, ...row }): PoolRecord => ({ ...row, ...settings }));

export interface SqlitePoolsMeans {
  /** Prepared statements of the database. */
  readonly sql: SQLTagStore;
  readonly read: <T>(work: () => T) => Promise<T>;
  /** Carries out a write as a whole or not at all. */
  readonly write: <T>(work: () => T) => Promise<T>;
  readonly layers: Pick<SqliteLayers, 'demand'>;
  /** Names of a tenant's functions by the pool that they name. */
  readonly users: (tenant: string) => ReadonlyMap<string, readonly string[]>;
}

/** A function's pool, and the layers that it has by it and by itself. */
export interface PooledLayers {
  readonly pool: VersionPool | undefined;
  readonly layers: readonly LayerRecord[];
}

export class SqlitePools implements PoolStore {
  readonly #means: SqlitePoolsMeans;
  readonly #sql: SQLTagStore;

  constructor(means: SqlitePoolsMeans) {
    this.#means = means;
    this.#sql = means.sql;
  }

  list(tenant: string): Promise<PoolRecord[]> {
    return this.#means.read(() =>
      this.#sql.all`SELECT tenant, name, settings, created_at AS createdAt FROM pools WHERE tenant = ${tenant} ORDER BY name`.map((row) =>
        rowSchema.parse(row),
      ),
    );
  }

  find(tenant: string, name: string): Promise<PoolRecord | undefined> {
    return this.#means.read(() => this.#find(tenant, name));
  }

  create(tenant: string, name: string, settings: PoolSettings, createdAt: string): Promise<PoolMade> {
    return this.#means.write<PoolMade>(() => {
      const pool: PoolRecord = { tenant, name, createdAt, ...settings };
      const before = this.#find(tenant, name);
      if (before !== undefined) {
        const isSame = isDeepStrictEqual(before, { ...pool, createdAt: before.createdAt });
        return isSame ? { kind: 'same', pool: before } : { kind: 'exists' };
      }
      const layers = this.#means.layers.demand(tenant, `the pool "${name}"`, settings.layers);
      this.#demandRoom(tenant);
      this.#sql.run`
        INSERT INTO pools (tenant, name, settings, created_at) VALUES (${tenant}, ${name}, ${JSON.stringify(settings)}, ${createdAt})`;
      for (const layer of layers)
        this.#sql.run`
          INSERT INTO pool_layers (tenant, pool, layer, layer_version) VALUES (${tenant}, ${name}, ${layer.name}, ${layer.version})`;
      return { kind: 'created', pool };
    });
  }

  remove(tenant: string, name: string): Promise<PoolRemoved> {
    return this.#means.write<PoolRemoved>(() => {
      if (this.#find(tenant, name) === undefined) return { kind: 'missing' };
      const functions = this.#means.users(tenant).get(name) ?? [];
      if (functions.length > 0) return { kind: 'in use', functions };
      // What it builds on goes with it.
      this.#sql.run`DELETE FROM pools WHERE tenant = ${tenant} AND name = ${name}`;
      return { kind: 'removed' };
    });
  }

  users(tenant: string): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#means.read(() => this.#means.users(tenant));
  }

  /**
   * As a part of somebody's transaction: demands a function's pool, if it names one, and its layers.
   * @param who names them, for the error
   * @param given layers that the platform adds, below those that the function names
   * @throws SwiftletError PoolMissing, PoolUnfit, LayerMissing
   */
  demand(tenant: string, who: string, config: FunctionConfig, given: readonly string[] = []): PooledLayers {
    const { layers } = this.#means;
    if (config.pool === undefined) return { pool: undefined, layers: layers.demand(tenant, who, [...given, ...config.layers]) };
    const found = this.#find(tenant, config.pool);
    if (found === undefined) throw poolMissing(who, config.pool);
    demandFit(who, config, found);
    const references = [...new Set([...found.layers, ...given, ...config.layers])];
    if (references.length > maxLayers + given.length)
      throw poolUnfit(
        `${who} has ${references.length} layers with the ${found.layers.length} of its pool "${found.name}", and ${maxLayers} is the most`,
        'config.layers',
      );
    const all = layers.demand(tenant, who, references);
    const { name, memoryMiB, preload, minimum, maximum } = found;
    const layerDigests = all.slice(0, found.layers.length).map(({ digest }) => digest);
    return { pool: { name, memoryMiB: memoryClassOf(memoryMiB), layerDigests, preload, minimum, maximum }, layers: all };
  }

  #find(tenant: string, name: string): PoolRecord | undefined {
    const row = this.#sql.get`
      SELECT tenant, name, settings, created_at AS createdAt FROM pools WHERE tenant = ${tenant} AND name = ${name}`;
    return row === undefined ? undefined : rowSchema.parse(row);
  }

  #demandRoom(tenant: string): void {
    const count = Number(this.#sql.get`SELECT count(*) AS n FROM pools WHERE tenant = ${tenant}`?.['n']);
    if (count < maxCustomPools) return;
    const message = `tenant "${tenant}" has ${count} custom pools, and no tenant has more; delete one that no function uses`;
    throw new SwiftletError('QuotaExceeded', message, { place: 'pools' });
  }
}

/** What was decided when a pool's sandboxes booted must be what the function wants. */
function demandFit(who: string, config: FunctionConfig, pool: PoolRecord): void {
  const its = `${who} uses the pool "${pool.name}", whose`;
  if (config.runtime !== pool.runtime)
    throw poolUnfit(`${its} sandboxes run ${pool.runtime}, and the function wants ${config.runtime}; make both alike`, 'config.runtime');
  const [has, wants] = [memoryClassOf(pool.memoryMiB), memoryClassOf(config.memoryMiB)];
  if (has !== wants)
    throw poolUnfit(
      `${its} sandboxes have booted with the memory of a class of ${has} MiB, and the function wants ${config.memoryMiB} MiB, which is of the class of ${wants}; make both alike`,
      'config.memoryMiB',
    );
  const named = new Map(pool.layers.map((reference) => [parseLayer(reference)?.name, reference]));
  const other = config.layers.find((reference) => (named.get(parseLayer(reference)?.name) ?? reference) !== reference);
  if (other !== undefined)
    throw poolUnfit(
      `${its} sandboxes have ${named.get(parseLayer(other)?.name) ?? ''}, and the function wants ${other}; name one version`,
      'config.layers',
    );
}
