import type { DatabaseSync, SQLTagStore } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type FunctionConfig, type Version, versionSchema } from '../model/function.ts';
import { networkOf, privateNames } from '../model/network-policy.ts';
import { openDatabase, transact } from '../role/sqlite-database.ts';
import { mainVersion } from '../model/traffic.ts';
import type { Change, PublishedFunction } from '../wire/published-state.ts';
import { secretNames } from '../model/secret.ts';
import { SqliteAudit } from './audit/sqlite-audit.ts';
import type { LayerRecord } from './layers/layer-store.ts';
import { SqliteLayers } from './layers/sqlite-layers.ts';
import { SqliteLambda } from './lambda/sqlite-lambda.ts';
import { SqlitePools } from './pools/sqlite-pools.ts';
import { publishedFunction } from './routing.ts';
import { secretMissing } from './secrets/refusals.ts';
import { SqliteSizes } from './sizes/sqlite-sizes.ts';
import { SqliteSecrets } from './secrets/sqlite-secrets.ts';
import type { Changed } from './sqlite-commit.ts';
import { SqliteNetworks } from './sqlite-networks.ts';
import { storeSchema } from './sqlite-schema.ts';
import { demandFunctionRoom, demandStorageRoom, SqliteTenants } from './sqlite-tenants.ts';
import { SqliteRoutes } from './sqlite-routes.ts';
import { SqliteTokens } from './sqlite-tokens.ts';
import { SqliteTraffic } from './sqlite-traffic.ts';
import type {
  Artifact,
  Deployment,
  DeployOutcome,
  FunctionRecord,
  Page,
  Published,
  Store,
  TrafficChanged,
  TrafficDecision,
} from './store.ts';
import { firstTraffic, neededVersions, rolloutUnderWay, servedVersions, startRollout, type Traffic } from './traffic.ts';

const jsonText = z.string().transform((text): unknown => JSON.parse(text));
const versionRowSchema = z
  .looseObject({ config: jsonText, layerDigests: jsonText.nullable(), pool: jsonText.nullable() })
  .transform(
    ({ layerDigests, pool, ...row }): Record<string, unknown> => ({
      ...row,
      ...(layerDigests === null ? {} : { layerDigests }),
      ...(pool === null ? {} : { pool }),
    }),
  )
  .transform((row): unknown => row)
  .pipe(versionSchema);
const functionRowSchema = z.object({ functionCreatedAt: z.string() });
const artifactRowSchema = z.object({ tenant: z.string(), digest: z.string(), size: z.int(), files: jsonText.pipe(z.array(z.string())) });

/** The store of one machine. Node’s SQLite works synchronously, so that each method is one turn and none sees another half done. */
export class SqliteStore implements Store {
  /** Whether nothing had ever been stored when this was opened. */
  readonly isNew: boolean;
  readonly tenants: SqliteTenants;
  readonly tokens: SqliteTokens;
  readonly networks: SqliteNetworks;
  readonly secrets: SqliteSecrets;
  readonly layers: SqliteLayers;
  readonly pools: SqlitePools;
  readonly sizes: SqliteSizes;
  readonly lambda: SqliteLambda;
  readonly audit: SqliteAudit;
  readonly #database: DatabaseSync;
  /** Keeps each statement prepared. */
  readonly #sql: SQLTagStore;
  readonly #traffic: SqliteTraffic;
  readonly #routes: SqliteRoutes;
  readonly #listeners = new Set<(change: Change) => void>();

  /** @throws Error when the file is damaged or of a newer release */
  constructor(path: string) {
    const { database, isNew } = openDatabase(path, storeSchema);
    this.isNew = isNew;
    this.#database = database;
    this.#sql = database.createTagStore();
    this.#traffic = new SqliteTraffic(this.#sql);
    this.#routes = new SqliteRoutes(this.#sql);
    this.secrets = new SqliteSecrets({
      sql: this.#sql,
      read: turn,
      write: (work) => this.#write(work),
      users: (tenant) => this.#users(tenant, ({ secrets }) => secretNames(secrets)),
    });
    this.layers = new SqliteLayers({ sql: this.#sql, read: turn, write: (work) => this.#write(work) });
    this.pools = new SqlitePools({
      sql: this.#sql,
      read: turn,
      write: (work) => this.#write(work),
      layers: this.layers,
      users: (tenant) => this.#users(tenant, ({ pool }) => (pool === undefined ? [] : [pool])),
    });
    this.sizes = new SqliteSizes({ sql: this.#sql, read: turn });
    this.audit = new SqliteAudit({ sql: this.#sql, read: turn, write: (work) => this.#write(work) });
    const commit = {
      read: turn,
      change: <T>(work: (nextRevision: () => number) => Changed<T>) => this.#change(() => work(() => this.#nextRevision())),
    };
    this.lambda = new SqliteLambda({
      sql: this.#sql,
      commit,
      revision: () => this.#revision(),
      served: (tenant, name) => this.#served(tenant, name),
    });
    this.tenants = new SqliteTenants(this.#sql, commit);
    this.tokens = new SqliteTokens(this.#sql, commit);
    this.networks = new SqliteNetworks(this.#sql, commit, (tenant) => this.#users(tenant, (config) => privateNames(networkOf({ config }))));
  }

  snapshot(): Promise<Published> {
    return turn(() => {
      const rows = this.#sql.all`SELECT tenant, name FROM functions`;
      const functions = rows.flatMap(({ tenant, name }) => this.#published(String(tenant), String(name)) ?? []);
      return {
        revision: this.#revision(),
        functions,
        tokens: this.tokens.published(),
        tenants: this.tenants.published(),
        networks: this.networks.published(),
      };
    });
  }

  watch(listener: (change: Change) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  addArtifact({ tenant, digest, size, files, contents }: Artifact, nowMs: number): Promise<void> {
    return this.#write(() => {
      demandStorageRoom(this.#sql, tenant, digest, size);
      this.#sql.run`
        INSERT INTO artifacts (tenant, digest, size, files, touched_ms) VALUES (${tenant}, ${digest}, ${size}, ${JSON.stringify(files)}, ${nowMs})
        ON CONFLICT DO UPDATE SET touched_ms = excluded.touched_ms`;
      if (contents !== undefined) this.sizes.note(tenant, digest, contents);
    });
  }

  findArtifact(tenant: string, digest: string): Promise<Artifact | undefined> {
    return turn(() => {
      const row = this.#sql.get`SELECT tenant, digest, size, files FROM artifacts WHERE tenant = ${tenant} AND digest = ${digest}`;
      return row === undefined ? undefined : artifactRowSchema.parse(row);
    });
  }

  touchArtifact(tenant: string, digest: string, nowMs: number): Promise<boolean> {
    return this.#write(() => {
      const touched = this.#sql.run`UPDATE artifacts SET touched_ms = ${nowMs} WHERE tenant = ${tenant} AND digest = ${digest}`;
      return Number(touched.changes) > 0;
    });
  }

  dropArtifacts(untouchedSinceMs: number): Promise<void> {
    return this.#write(() => {
      this.#sql.run`
        DELETE FROM artifacts AS a WHERE touched_ms <= ${untouchedSinceMs}
        AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.tenant = a.tenant AND v.digest = a.digest)
        AND NOT EXISTS (SELECT 1 FROM layers l WHERE l.tenant = a.tenant AND l.digest = a.digest)`;
    });
  }

  digests(): Promise<ReadonlySet<string>> {
    return turn(() => new Set(this.#sql.all`SELECT DISTINCT digest FROM artifacts`.map((row) => String(row['digest']))));
  }

  deploy(deployment: Deployment): Promise<DeployOutcome> {
    return this.#change(() => this.#deploy(deployment));
  }

  remove(tenant: string, name: string): Promise<number | undefined> {
    return this.#change(() => {
      // Its versions go with it.
      const removed = this.#sql.run`DELETE FROM functions WHERE tenant = ${tenant} AND name = ${name}`;
      if (Number(removed.changes) === 0) return { result: undefined };
      const change = { revision: this.#nextRevision(), change: { kind: 'removed', tenant, name } } as const;
      return { result: change.revision, change };
    });
  }

  functions(tenant: string, { limit, after = '' }: Page): Promise<FunctionRecord[]> {
    return turn(() =>
      this.#sql.all`
        SELECT f.created_at AS functionCreatedAt, v.tenant, v.function, v.number, v.digest, v.size, v.config, v.layer_digests AS layerDigests, v.pool,
          v.created_at AS createdAt
        FROM functions f JOIN versions v ON v.tenant = f.tenant AND v.function = f.name AND v.number = f.serving
        WHERE f.tenant = ${tenant} AND f.name > ${after} ORDER BY f.name LIMIT ${limit}`.map(functionRecord),
    );
  }

  findFunction(tenant: string, name: string): Promise<FunctionRecord | undefined> {
    return turn(() => this.#find(tenant, name));
  }

  versions(tenant: string, name: string): Promise<Version[]> {
    return turn(() =>
      this.#sql.all`
        SELECT tenant, function, number, digest, size, config, layer_digests AS layerDigests, pool, created_at AS createdAt
        FROM versions WHERE tenant = ${tenant} AND function = ${name} ORDER BY number DESC`.map((row) => versionRowSchema.parse(row)),
    );
  }

  traffic(tenant: string, name: string): Promise<Traffic | undefined> {
    return turn(() => this.#traffic.find(tenant, name));
  }

  changeTraffic(tenant: string, name: string, decide: TrafficDecision): Promise<TrafficChanged | undefined> {
    return this.#change(() => {
      const before = this.#traffic.find(tenant, name);
      if (before === undefined) return { result: undefined };
      const traffic = decide(before, this.#numbers(tenant, name));
      if (traffic === before) return { result: { traffic, revision: this.#revision() } };
      this.#demandNamed(tenant, name, traffic);
      this.#sql.run`UPDATE functions SET serving = ${mainVersion(traffic.live.versions)} WHERE tenant = ${tenant} AND name = ${name}`;
      this.#traffic.put(tenant, name, traffic);
      this.#claimRoutes(tenant, name, traffic);
      const change = this.#served(tenant, name);
      return { result: { traffic, revision: change.revision }, change };
    });
  }

  moving(): Promise<{ tenant: string; name: string }[]> {
    return turn(() => this.#traffic.moving());
  }

  dropVersions(tenant: string, name: string, numbers: readonly number[]): Promise<void> {
    return this.#write(() => {
      const traffic = this.#traffic.find(tenant, name);
      const needed = traffic === undefined ? new Set<number>() : neededVersions(traffic);
      for (const number of numbers) {
        if (!needed.has(number)) this.#sql.run`DELETE FROM versions WHERE tenant = ${tenant} AND function = ${name} AND number = ${number}`;
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
    this.#listeners.clear();
    return Promise.resolve();
  }

  #deploy(deployment: Deployment): Changed<DeployOutcome> {
    const { tenant, function: name, digest, config, givenLayers, createdAt, expected } = deployment;
    const artifact = this.#sql.get`SELECT size FROM artifacts WHERE tenant = ${tenant} AND digest = ${digest}`;
    if (artifact === undefined) return { result: { kind: 'artifact missing' } };
    const before = this.#find(tenant, name)?.serving;
    const traffic = this.#traffic.find(tenant, name);
    const next = traffic === undefined ? undefined : rolloutUnderWay(traffic)?.to;
    const wanted = next === undefined ? before : this.#version(tenant, name, next);
    const isSame = wanted?.digest === digest && isDeepStrictEqual(wanted.config, config) && this.#hasLayers(wanted, givenLayers);
    if (isSame && expected !== 'none') {
      return { result: { kind: 'unchanged', version: wanted, serving: before?.number ?? wanted.number, revision: this.#revision() } };
    }
    if (expected !== undefined && expected !== (before?.number ?? 'none')) return { result: { kind: 'stale', serving: before?.number } };
    const names = this.secrets.missing(tenant, secretNames(config.secrets));
    if (names.length > 0) return { result: { kind: 'secrets missing', names } };

    this.networks.demand(tenant, `function "${name}"`, privateNames(networkOf({ config })));
    const { pool, layers } = this.pools.demand(tenant, `function "${name}"`, config, givenLayers);
    demandFunctionRoom(this.#sql, tenant, name);
    const number = this.#nextNumber(tenant, name);
    const built = {
      ...(layers.length === 0 ? {} : { layerDigests: layers.map((layer) => layer.digest) }),
      ...(pool === undefined ? {} : { pool }),
    };
    const version: Version = { tenant, function: name, number, digest, size: Number(artifact['size']), config, createdAt, ...built };
    const nowMs = Date.parse(createdAt);
    const facts = { name, kept: new Set([number]), nowMs };
    const changed =
      traffic === undefined ? firstTraffic(number, nowMs) : startRollout(traffic, number, deployment.plan ?? config.rollout, facts);
    this.#sql.run`
      INSERT INTO functions (tenant, name, created_at, serving) VALUES (${tenant}, ${name}, ${createdAt}, ${mainVersion(changed.live.versions)})
      ON CONFLICT DO UPDATE SET serving = excluded.serving`;
    this.#sql.run`
      INSERT INTO versions (tenant, function, number, digest, size, config, layer_digests, pool, created_at)
      VALUES (${tenant}, ${name}, ${number}, ${digest}, ${version.size}, ${JSON.stringify(config)}, ${digestsText(layers)},
        ${pool === undefined ? null : JSON.stringify(pool)}, ${createdAt})`;
    this.layers.note(version, layers);
    this.#traffic.put(tenant, name, changed);
    if (before === undefined) this.#routes.demandNoRoutes({ tenant, name });
    this.#claimRoutes(tenant, name, changed);
    const change = this.#served(tenant, name);
    return { result: { kind: 'created', version, isFirst: before === undefined, traffic: changed, revision: change.revision }, change };
  }

  /** Whether a version has what it would be given now: it may have been made when that could not be had. */
  #hasLayers({ tenant, layerDigests = [] }: Version, given: readonly string[] = []): boolean {
    return this.layers.demand(tenant, 'it', given).every(({ digest }) => layerDigests.includes(digest));
  }

  /** Names of functions by what they refer to, in versions that requests may go to. */
  #users(tenant: string, namesOf: (config: FunctionConfig) => readonly string[]): Map<string, string[]> {
    const users = new Map<string, string[]>();
    for (const row of this.#sql.all`SELECT name FROM functions WHERE tenant = ${tenant} ORDER BY name`) {
      const name = String(row['name']);
      const traffic = this.#traffic.find(tenant, name);
      const numbers = traffic === undefined ? [] : [...neededVersions(traffic)];
      const configs = numbers.flatMap((number) => this.#version(tenant, name, number)?.config ?? []);
      for (const used of new Set(configs.flatMap(namesOf))) users.set(used, [...(users.get(used) ?? []), name]);
    }
    return users;
  }

  /** A version that had no requests for long may refer to what was removed meanwhile. @throws SwiftletError SecretMissing, NetworkMissing */
  #demandNamed(tenant: string, name: string, traffic: Traffic): void {
    for (const number of servedVersions(traffic)) {
      const config = this.#version(tenant, name, number)?.config;
      if (config === undefined) continue;
      const who = `version ${number} of function "${name}"`;
      const missing = this.secrets.missing(tenant, secretNames(config.secrets));
      if (missing.length > 0) throw secretMissing(who, missing);
      this.networks.demand(tenant, who, privateNames(networkOf({ config })));
    }
  }

  /** Those of the version that serves; while one takes over, those of both: neither step nor way back is refused for them. */
  #claimRoutes(tenant: string, name: string, traffic: Traffic): void {
    const rollout = rolloutUnderWay(traffic);
    const numbers = new Set([mainVersion(traffic.live.versions), ...(rollout === undefined ? [] : [rollout.from, rollout.to])]);
    const routes = [...numbers].flatMap((number) => this.#version(tenant, name, number)?.config.routes ?? []);
    this.#routes.claim({ tenant, name }, routes);
  }

  #find(tenant: string, name: string): FunctionRecord | undefined {
    const row = this.#sql.get`
      SELECT f.created_at AS functionCreatedAt, v.tenant, v.function, v.number, v.digest, v.size, v.config, v.layer_digests AS layerDigests, v.pool,
          v.created_at AS createdAt
      FROM functions f JOIN versions v ON v.tenant = f.tenant AND v.function = f.name AND v.number = f.serving
      WHERE f.tenant = ${tenant} AND f.name = ${name}`;
    return row === undefined ? undefined : functionRecord(row);
  }

  #version(tenant: string, name: string, number: number): Version | undefined {
    const row = this.#sql.get`
      SELECT tenant, function, number, digest, size, config, layer_digests AS layerDigests, pool, created_at AS createdAt
      FROM versions WHERE tenant = ${tenant} AND function = ${name} AND number = ${number}`;
    return row === undefined ? undefined : versionRowSchema.parse(row);
  }

  #numbers(tenant: string, name: string): Set<number> {
    return new Set(
      this.#sql.all`SELECT number FROM versions WHERE tenant = ${tenant} AND function = ${name}`.map(({ number }) => Number(number)),
    );
  }

  #published(tenant: string, name: string): PublishedFunction | undefined {
    const traffic = this.#traffic.find(tenant, name);
    if (traffic === undefined) return undefined;
    const versions = [...neededVersions(traffic)].flatMap((number) => this.#version(tenant, name, number) ?? []);
    const published = publishedFunction(traffic, new Map(versions.map((version) => [version.number, version])));
    const policy = this.lambda.policyOf(tenant, name);
    return policy === undefined ? published : { ...published, policy };
  }

  /** What those who watch are told of a function that was changed. */
  #served(tenant: string, name: string): Change {
    const changed = this.#published(tenant, name);
    if (changed === undefined) throw new Error(`function ${name} has no traffic`);
    return { revision: this.#nextRevision(), change: { kind: 'served', function: changed } };
  }

  #nextNumber(tenant: string, name: string): number {
    const row = this.#sql.get`
      INSERT INTO numbers (tenant, function, last) VALUES (${tenant}, ${name}, 1)
      ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last`;
    return Number(row?.['last']);
  }

  #nextRevision(): number {
    return Number(this.#sql.get`UPDATE published SET revision = revision + 1 RETURNING revision`?.['revision']);
  }

  #revision(): number {
    return Number(this.#sql.get`SELECT revision FROM published`?.['revision']);
  }

  #write<T>(work: () => T): Promise<T> {
    return turn(() => transact(this.#database, work));
  }

  /** A write that may concern those who watch. */
  #change<T>(work: () => Changed<T>): Promise<T> {
    return turn(() => {
      const { result, change } = transact(this.#database, work);
      if (change !== undefined) for (const listener of this.#listeners) listener(change);
      return result;
    });
  }
}

/** What it throws becomes the promise’s rejection, as the contract has it. */
const turn = <T>(work: () => T): Promise<T> =>
  new Promise((resolve) => {
    resolve(work());
  });

const digestsText = (layers: readonly LayerRecord[]): string | null =>
  layers.length === 0 ? null : JSON.stringify(layers.map(({ digest }) => digest));

function functionRecord(row: unknown): FunctionRecord {
  const serving = versionRowSchema.parse(row);
  return { tenant: serving.tenant, name: serving.function, createdAt: functionRowSchema.parse(row).functionCreatedAt, serving };
}
