import type { PoolSettings } from '../../model/custom-pool.ts';

export interface PoolRecord extends PoolSettings {
  readonly tenant: string;
  readonly name: string;
  readonly createdAt: string;
}

export type PoolMade =
  | { readonly kind: 'created' | 'same'; readonly pool: PoolRecord }
  /** There is one of the name, with other settings. */
  | { readonly kind: 'exists' };

export type PoolRemoved =
  | { readonly kind: 'removed' }
  | { readonly kind: 'missing' }
  /** Functions name it, by their names. */
  | { readonly kind: 'in use'; readonly functions: readonly string[] };

/**
 * The custom pools of a store. What `Store` promises of durability and order holds here, too. No version that takes requests, or that a way
 * back leads to, names a pool that there is not; and no layer of a pool is removed before it.
 */
export interface PoolStore {
  /** In the order of their names. */
  list(tenant: string): Promise<PoolRecord[]>;
  find(tenant: string, name: string): Promise<PoolRecord | undefined>;
  /** @throws SwiftletError LayerMissing; QuotaExceeded when there are too many */
  create(tenant: string, name: string, settings: PoolSettings, createdAt: string): Promise<PoolMade>;
  remove(tenant: string, name: string): Promise<PoolRemoved>;
  /** The names of functions by the pool that they name, in versions that requests may go to. */
  users(tenant: string): Promise<ReadonlyMap<string, readonly string[]>>;
}
