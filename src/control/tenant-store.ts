import type { Tenant, TenantSettings } from '../model/tenant.ts';

export type TenantSet =
  | { readonly kind: 'created' | 'changed'; readonly tenant: Tenant; readonly revision: number }
  /** It was not to be there yet. */
  | { readonly kind: 'exists' };

export type TenantRemoved =
  | { readonly kind: 'removed'; readonly revision: number }
  /** It has functions still. */
  | { readonly kind: 'in use'; readonly functions: number };

/** What a tenant has of what its quotas limit and the store counts. */
export interface StoredUse {
  readonly functions: number;
  /** Of its artifacts, packed. */
  readonly storageBytes: number;
}

/** The tenants of a store. What `Store` promises of durability, order and revisions holds here, too. */
export interface TenantStore {
  /**
   * Makes a tenant, or changes one.
   * @param isNew whether there must be none of the name
   * @throws SwiftletError Conflict for a name that a tenant had who was removed: its usage is still kept under it
   */
  set(name: string, settings: TenantSettings, createdAt: string, isNew: boolean): Promise<TenantSet>;
  /** Removes a tenant without functions, and its tokens. @returns undefined when there is no such tenant */
  remove(name: string, removedAt: string): Promise<TenantRemoved | undefined>;
  find(name: string): Promise<Tenant | undefined>;
  /** In the order of their names. */
  list(page: { readonly limit: number; readonly after?: string }): Promise<Tenant[]>;
  use(name: string): Promise<StoredUse>;
}
