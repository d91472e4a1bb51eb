/** Layers in control's database. */
import type { SQLTagStore } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { SwiftletError } from '../../model/errors.ts';
import { type LayerId, layerNotesSchema, layerReference, parseLayer } from '../../model/layer.ts';
import { maxLayerVersions } from '../../model/limits.ts';
import type { LayerDraft, LayerPublished, LayerRecord, LayerRemoved, LayerStore } from './layer-store.ts';
import { layerMissing } from './refusals.ts';

const rowSchema = z.object({
  tenant: z.string(),
  name: z.string(),
  version: z.int(),
  digest: z.string(),
  size: z.int(),
  notes: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(layerNotesSchema),
  createdAt: z.string(),
});

export interface SqliteLayersMeans {
  /** Prepared statements of the database. */
  readonly sql: SQLTagStore;
  readonly read: <T>(work: () => T) => Promise<T>;
  /** Carries out a write as a whole or not at all. */
  readonly write: <T>(work: () => T) => Promise<T>;
}

export class SqliteLayers implements LayerStore {
  readonly #means: SqliteLayersMeans;
  readonly #sql: SQLTagStore;

  constructor(means: SqliteLayersMeans) {
    this.#means = means;
    this.#sql = means.sql;
  }

  list(tenant: string): Promise<LayerRecord[]> {
    return this.#means.read(() =>
      this.#sql.all`
        SELECT tenant, name, version, digest, size, notes, created_at AS createdAt
        FROM layers WHERE tenant = ${tenant} ORDER BY name, version DESC`.map((row) => rowSchema.parse(row)),
    );
  }

  find(tenant: string, id: LayerId): Promise<LayerRecord | undefined> {
    return this.#means.read(() => this.#find(tenant, id));
  }

  publish(tenant: string, name: string, { digest, notes, createdAt, always = false }: LayerDraft): Promise<LayerPublished> {
    return this.#means.write(() => {
      const artifact = this.#sql.get`SELECT size FROM artifacts WHERE tenant = ${tenant} AND digest = ${digest}`;
      if (artifact === undefined) return { kind: 'artifact missing' };
      const newest = this.#find(tenant, { name, version: this.#versions(tenant, name)[0] ?? 0 });
      const isSame = newest?.digest === digest && isDeepStrictEqual(newest.notes, notes);
      if (isSame && !always) return { kind: 'same', layer: newest };
      this.#demandRoom(tenant);
      const version = this.#nextVersion(tenant, name);
      const layer: LayerRecord = { tenant, name, version, digest, size: Number(artifact['size']), notes, createdAt };
      this.#sql.run`
        INSERT INTO layers (tenant, name, version, digest, size, notes, created_at)
        VALUES (${tenant}, ${name}, ${version}, ${digest}, ${layer.size}, ${JSON.stringify(notes)}, ${createdAt})`;
      return { kind: 'created', layer };
    });
  }

  remove(tenant: string, id: LayerId): Promise<LayerRemoved> {
    return this.#means.write(() => {
      if (this.#find(tenant, id) === undefined) return { kind: 'missing' };
      const functions = this.#users(tenant).get(layerReference(id)) ?? [];
      const pools = this.#pools(tenant, id);
      if (functions.length + pools.length > 0) return { kind: 'in use', functions, pools };
      this.#sql.run`DELETE FROM layers WHERE tenant = ${tenant} AND name = ${id.name} AND version = ${id.version}`;
      return { kind: 'removed' };
    });
  }

  users(tenant: string): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#means.read(() => this.#users(tenant));
  }

  /**
   * As a part of somebody's transaction: demands that there are these.
   * @param references as `layerReference` makes them
   * @param who names them, for the error
   * @returns them, in this order
   * @throws SwiftletError LayerMissing
   */
  demand(tenant: string, who: string, references: readonly string[]): LayerRecord[] {
    return references.map((reference) => {
      const id = parseLayer(reference);
      if (id === undefined) throw new SwiftletError('ManifestInvalid', `"${reference}" names no layer`, { place: 'config.layers' });
      const found = this.#find(tenant, id);
      if (found === undefined) throw layerMissing(who, id, this.#versions(tenant, id.name));
      return found;
    });
  }

  /** As a part of the transaction that makes a version: writes down what it builds on, until it is dropped. */
  note({ tenant, function: name, number }: { tenant: string; function: string; number: number }, layers: readonly LayerId[]): void {
    for (const layer of layers)
      this.#sql.run`
        INSERT INTO version_layers (tenant, function, number, layer, layer_version)
        VALUES (${tenant}, ${name}, ${number}, ${layer.name}, ${layer.version})`;
  }

  #find(tenant: string, { name, version }: LayerId): LayerRecord | undefined {
    const row = this.#sql.get`
      SELECT tenant, name, version, digest, size, notes, created_at AS createdAt
      FROM layers WHERE tenant = ${tenant} AND name = ${name} AND version = ${version}`;
    return row === undefined ? undefined : rowSchema.parse(row);
  }

  /** Newest first. */
  #versions(tenant: string, name: string): number[] {
    return this.#sql.all`SELECT version FROM layers WHERE tenant = ${tenant} AND name = ${name} ORDER BY version DESC`.map(({ version }) =>
      Number(version),
    );
  }

  #users(tenant: string): Map<string, string[]> {
    const users = new Map<string, string[]>();
    const rows = this.#sql.all`
      SELECT DISTINCT layer, layer_version AS version, function FROM version_layers WHERE tenant = ${tenant} ORDER BY function`;
    for (const { layer, version, function: name } of rows) {
      const reference = layerReference({ name: String(layer), version: Number(version) });
      users.set(reference, [...(users.get(reference) ?? []), String(name)]);
    }
    return users;
  }

  /** Names of the custom pools that build on it. */
  #pools(tenant: string, { name, version }: LayerId): string[] {
    return this.#sql.all`
      SELECT pool FROM pool_layers WHERE tenant = ${tenant} AND layer = ${name} AND layer_version = ${version} ORDER BY pool`.map(
      ({ pool }) => String(pool),
    );
  }

  #demandRoom(tenant: string): void {
    const count = Number(this.#sql.get`SELECT count(*) AS n FROM layers WHERE tenant = ${tenant}`?.['n']);
    if (count < maxLayerVersions) return;
    const message = `tenant "${tenant}" has ${count} versions of layers, and no tenant has more; remove some that no function builds on`;
    throw new SwiftletError('QuotaExceeded', message, { place: 'layers' });
  }

  #nextVersion(tenant: string, name: string): number {
    const row = this.#sql.get`
      INSERT INTO layer_numbers (tenant, name, last) VALUES (${tenant}, ${name}, 1)
      ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last`;
    return Number(row?.['last']);
  }
}
