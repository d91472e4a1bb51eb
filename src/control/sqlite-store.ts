import type { DatabaseSync, SQLTagStore } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type Version, versionSchema } from '../model/function.ts';
import { openDatabase, transact } from '../role/sqlite-database.ts';
import type { Change, PublishedFunction } from '../wire/published-state.ts';
import { plainRouting } from '../wire/routing.ts';
import { storeSchema } from './sqlite-schema.ts';
import type { Artifact, Deployment, DeployOutcome, FunctionRecord, Page, Store } from './store.ts';

const jsonText = z.string().transform((text): unknown => JSON.parse(text));
const versionRowSchema = z.looseObject({ config: jsonText }).pipe(versionSchema);
const functionRowSchema = z.object({ functionCreatedAt: z.string() });
const artifactRowSchema = z.object({ tenant: z.string(), digest: z.string(), size: z.int(), files: jsonText.pipe(z.array(z.string())) });

/** The store of one machine. Node’s SQLite works synchronously, so that each method is one turn and none sees another half done. */
export class SqliteStore implements Store {
  /** Whether nothing had ever been stored when this was opened. */
  readonly isNew: boolean;
  readonly #database: DatabaseSync;
  /** Keeps each statement prepared. */
  readonly #sql: SQLTagStore;
  readonly #listeners = new Set<(change: Change) => void>();

  /** @throws Error when the file is damaged or of a newer release */
  constructor(path: string) {
    const { database, isNew } = openDatabase(path, storeSchema);
    this.isNew = isNew;
    this.#database = database;
    this.#sql = database.createTagStore();
  }

  snapshot(): Promise<{ revision: number; functions: PublishedFunction[] }> {
    return turn(() => {
      const rows = this.#sql.all`
        SELECT v.tenant, v.function, v.number, v.digest, v.size, v.config, v.created_at AS createdAt
        FROM functions f JOIN versions v ON v.tenant = f.tenant AND v.function = f.name AND v.number = f.serving`;
      const functions = rows.map((row) => published(versionRowSchema.parse(row)));
      return { revision: this.#revision(), functions };
    });
  }

  watch(listener: (change: Change) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  addArtifact({ tenant, digest, size, files }: Artifact, nowMs: number): Promise<void> {
    return this.#write(() => {
      this.#sql.run`
        INSERT INTO artifacts (tenant, digest, size, files, touched_ms) VALUES (${tenant}, ${digest}, ${size}, ${JSON.stringify(files)}, ${nowMs})
        ON CONFLICT DO UPDATE SET touched_ms = excluded.touched_ms`;
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
        AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.tenant = a.tenant AND v.digest = a.digest)`;
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
        SELECT f.created_at AS functionCreatedAt, v.tenant, v.function, v.number, v.digest, v.size, v.config, v.created_at AS createdAt
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
        SELECT tenant, function, number, digest, size, config, created_at AS createdAt
        FROM versions WHERE tenant = ${tenant} AND function = ${name} ORDER BY number DESC`.map((row) => versionRowSchema.parse(row)),
    );
  }

  dropVersions(tenant: string, name: string, numbers: readonly number[]): Promise<void> {
    return this.#write(() => {
      for (const number of numbers) {
        this.#sql.run`
          DELETE FROM versions AS v WHERE tenant = ${tenant} AND function = ${name} AND number = ${number}
          AND NOT EXISTS (SELECT 1 FROM functions f WHERE f.tenant = v.tenant AND f.name = v.function AND f.serving = v.number)`;
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
    this.#listeners.clear();
    return Promise.resolve();
  }

  #deploy({ tenant, function: name, digest, config, createdAt, expected }: Deployment): Changed<DeployOutcome> {
    const artifact = this.#sql.get`SELECT size FROM artifacts WHERE tenant = ${tenant} AND digest = ${digest}`;
    if (artifact === undefined) return { result: { kind: 'artifact missing' } };
    const before = this.#find(tenant, name)?.serving;
    if (before?.digest === digest && isDeepStrictEqual(before.config, config) && expected !== 'none') {
      return { result: { kind: 'unchanged', version: before, revision: this.#revision() } };
    }
    if (expected !== undefined && expected !== (before?.number ?? 'none')) return { result: { kind: 'stale', serving: before?.number } };

    const number = this.#nextNumber(tenant, name);
    const version: Version = { tenant, function: name, number, digest, size: Number(artifact['size']), config, createdAt };
    this.#sql.run`
      INSERT INTO functions (tenant, name, created_at, serving) VALUES (${tenant}, ${name}, ${createdAt}, ${number})
      ON CONFLICT DO UPDATE SET serving = excluded.serving`;
    this.#sql.run`
      INSERT INTO versions (tenant, function, number, digest, size, config, created_at)
      VALUES (${tenant}, ${name}, ${number}, ${digest}, ${version.size}, ${JSON.stringify(config)}, ${createdAt})`;
    const change = { revision: this.#nextRevision(), change: { kind: 'served', function: published(version) } } as const;
    return { result: { kind: 'created', version, isFirst: before === undefined, revision: change.revision }, change };
  }

  #find(tenant: string, name: string): FunctionRecord | undefined {
    const row = this.#sql.get`
      SELECT f.created_at AS functionCreatedAt, v.tenant, v.function, v.number, v.digest, v.size, v.config, v.created_at AS createdAt
      FROM functions f JOIN versions v ON v.tenant = f.tenant AND v.function = f.name AND v.number = f.serving
      WHERE f.tenant = ${tenant} AND f.name = ${name}`;
    return row === undefined ? undefined : functionRecord(row);
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

interface Changed<T> {
  readonly result: T;
  readonly change?: Change;
}

/** What it throws becomes the promise’s rejection, as the contract has it. */
const turn = <T>(work: () => T): Promise<T> =>
  new Promise((resolve) => {
    resolve(work());
  });

const published = (serving: Version): PublishedFunction => ({
  tenant: serving.tenant,
  name: serving.function,
  serving,
  routing: plainRouting,
});

function functionRecord(row: unknown): FunctionRecord {
  const serving = versionRowSchema.parse(row);
  return { tenant: serving.tenant, name: serving.function, createdAt: functionRowSchema.parse(row).functionCreatedAt, serving };
}
