import type { PrivateNetwork, PrivateNetworkSettings } from '../model/private-network.ts';

export interface NetworkRecord extends PrivateNetwork {
  readonly createdAt: string;
}

export type NetworkMade =
  | { readonly kind: 'created' | 'same'; readonly network: NetworkRecord }
  /** There is one of the name, with other settings. */
  | { readonly kind: 'exists'; readonly network: NetworkRecord };

export type NetworkRemoved =
  | { readonly kind: 'removed' }
  | { readonly kind: 'missing' }
  /** Functions name it, by their names. */
  | { readonly kind: 'in use'; readonly functions: readonly string[] };

/**
 * The private networks of a store. What `Store` promises of durability, order and revisions holds here, too; and no version that takes
 * requests, or that a way back leads to, names a network that there is not.
 */
export interface NetworkStore {
  /** In the order of their names. */
  list(tenant: string): Promise<NetworkRecord[]>;
  find(tenant: string, name: string): Promise<NetworkRecord | undefined>;
  /**
   * @param draw gives a number by chance, until one is free
   * @throws SwiftletError QuotaExceeded when there are too many
   */
  create(tenant: string, name: string, settings: PrivateNetworkSettings, createdAt: string, draw: () => number): Promise<NetworkMade>;
  remove(tenant: string, name: string): Promise<NetworkRemoved>;
  /** The names of functions by the network that they name, in versions that requests may go to. */
  users(tenant: string): Promise<ReadonlyMap<string, readonly string[]>>;
}
