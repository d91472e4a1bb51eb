/** Private networks in control's database. */
import type { SQLTagStore } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { maxPrivateNetworks } from '../model/limits.ts';
import { overlapping, type PrivateNetwork, type PrivateNetworkSettings, privateNetworkSettingsSchema } from '../model/private-network.ts';
import type { Change } from '../wire/published-state.ts';
import { networkMissing } from './network-refusals.ts';
import type { NetworkMade, NetworkRecord, NetworkRemoved, NetworkStore } from './network-store.ts';
import type { Commit } from './sqlite-commit.ts';

const rowSchema = z
  .object({
    tenant: z.string(),
    name: z.string(),
    number: z.int(),
    settings: z
      .string()
      .transform((text): unknown => JSON.parse(text))
      .pipe(privateNetworkSettingsSchema),
    createdAt: z.string(),
  })
  .transform(({ settings, ...row }): NetworkRecord => ({ ...row, ...settings }));

export class SqliteNetworks implements NetworkStore {
  readonly #sql: SQLTagStore;
  readonly #commit: Commit;
  readonly #users: (tenant: string) => ReadonlyMap<string, readonly string[]>;

  /** @param users names of a tenant's functions by the network that they name */
  constructor(sql: SQLTagStore, commit: Commit, users: (tenant: string) => ReadonlyMap<string, readonly string[]>) {
    this.#sql = sql;
    this.#commit = commit;
    this.#users = users;
  }

  list(tenant: string): Promise<NetworkRecord[]> {
    return this.#commit.read(() =>
      this.#sql.all`
        SELECT tenant, name, number, settings, created_at AS createdAt FROM networks WHERE tenant = ${tenant} ORDER BY name`.map((row) =>
        rowSchema.parse(row),
      ),
    );
  }

  find(tenant: string, name: string): Promise<NetworkRecord | undefined> {
    return this.#commit.read(() => this.#find(tenant, name));
  }

  create(
    tenant: string,
    name: string,
    { ranges, proxies }: PrivateNetworkSettings,
    createdAt: string,
    draw: () => number,
  ): Promise<NetworkMade> {
    return this.#commit.change<NetworkMade>((nextRevision) => {
      const before = this.#find(tenant, name);
      if (before !== undefined) {
        const isSame = isDeepStrictEqual([before.ranges, before.proxies], [ranges, proxies]);
        return { result: { kind: isSame ? 'same' : 'exists', network: before } };
      }
      this.#demandRoom(tenant);
      const network: NetworkRecord = { tenant, name, number: this.#free(draw), ranges, proxies, createdAt };
      this.#sql.run`
        INSERT INTO networks (tenant, name, number, settings, created_at)
        VALUES (${tenant}, ${name}, ${network.number}, ${JSON.stringify({ ranges, proxies })}, ${createdAt})`;
      const change: Change = { revision: nextRevision(), change: { kind: 'network set', network: published(network) } };
      return { result: { kind: 'created', network }, change };
    });
  }

  remove(tenant: string, name: string): Promise<NetworkRemoved> {
    return this.#commit.change<NetworkRemoved>((nextRevision) => {
      if (this.#find(tenant, name) === undefined) return { result: { kind: 'missing' } };
      const functions = this.#users(tenant).get(name) ?? [];
      if (functions.length > 0) return { result: { kind: 'in use', functions } };
      this.#sql.run`DELETE FROM networks WHERE tenant = ${tenant} AND name = ${name}`;
      return { result: { kind: 'removed' }, change: { revision: nextRevision(), change: { kind: 'network removed', tenant, name } } };
    });
  }

  users(tenant: string): Promise<ReadonlyMap<string, readonly string[]>> {
    return this.#commit.read(() => this.#users(tenant));
  }

  /** Of all tenants, for the snapshot. */
  published(): PrivateNetwork[] {
    return this.#sql.all`SELECT tenant, name, number, settings, created_at AS createdAt FROM networks`.map((row) =>
      published(rowSchema.parse(row)),
    );
  }

  /**
   * As a part of somebody's transaction: demands that there are these, and that no address is in two of them.
   * @param who names them, for the error
   * @throws SwiftletError NetworkMissing, ManifestInvalid
   */
  demand(tenant: string, who: string, names: readonly string[]): void {
    const found = names.flatMap((name) => this.#find(tenant, name) ?? []);
    const missing = names.filter((name) => !found.some((network) => network.name === name));
    if (missing.length > 0) throw networkMissing(who, missing);
    const pair = overlapping(found);
    if (pair === undefined) return;
    const message = `${who} names the private networks "${pair[0]}" and "${pair[1]}", which have addresses in common; name one of both`;
    throw new SwiftletError('ManifestInvalid', message, { place: 'config.network.private' });
  }

  #find(tenant: string, name: string): NetworkRecord | undefined {
    const row = this.#sql.get`
      SELECT tenant, name, number, settings, created_at AS createdAt FROM networks WHERE tenant = ${tenant} AND name = ${name}`;
    return row === undefined ? undefined : rowSchema.parse(row);
  }

  #demandRoom(tenant: string): void {
    const own = Number(this.#sql.get`SELECT count(*) AS n FROM networks WHERE tenant = ${tenant}`?.['n']);
    const all = Number(this.#sql.get`SELECT count(*) AS n FROM networks`?.['n']);
    if (own >= maxPrivateNetworks.tenant)
      throw tooMany(`tenant "${tenant}" has ${own} private networks, and no tenant has more; remove one that no function names`);
    if (all >= maxPrivateNetworks.platform) throw tooMany(`the platform has ${all} private networks, and room for no more`);
  }

  #free(draw: () => number): number {
    for (;;) {
      const number = draw();
      if (this.#sql.get`SELECT 1 FROM networks WHERE number = ${number}` === undefined) return number;
    }
  }
}

const tooMany = (message: string): SwiftletError => new SwiftletError('QuotaExceeded', message, { place: 'networks' });

const published = ({ tenant, name, number, ranges, proxies }: NetworkRecord): PrivateNetwork => ({ tenant, name, number, ranges, proxies });
