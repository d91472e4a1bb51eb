import type { SealedValue, SecretId } from './seal.ts';

/** What is known of a secret beside its value. */
export interface SecretRecord extends SecretId {
  readonly createdAt: string;
  /** When it got its present value. */
  readonly changedAt: string;
}

export interface SealedSecret extends SecretRecord {
  readonly value: SealedValue;
}

/** Seals a value for the number that it is to have. */
export type Sealing = (version: number) => SealedValue;

export type RemovedSecret =
  | { readonly kind: 'removed'; readonly version: number }
  | { readonly kind: 'missing' }
  /** Functions refer to it, by their names. */
  | { readonly kind: 'in use'; readonly functions: readonly string[] };

/**
 * Secrets, of which only the newest value is kept. It is part of a Store and keeps its promises: each method is carried out as a whole
 * or not at all, what resolves is on disk, and a tenant is told of nothing but its own.
 *
 * - A number is never given again to another value of a secret of that name, even when it was removed in between.
 * - No version that takes requests, or that a way back leads to, refers to a secret that there is not: `Store.deploy` and
 *   `Store.changeTraffic` see to it in the same transaction.
 */
export interface SecretStore {
  /** In the order of their names. */
  list(tenant: string): Promise<SecretRecord[]>;
  find(tenant: string, name: string): Promise<SealedSecret | undefined>;
  /** Of all tenants. */
  all(): Promise<SealedSecret[]>;
  /** @returns undefined when there is one of this name already */
  create(tenant: string, name: string, seal: Sealing, at: string): Promise<SecretRecord | undefined>;
  /** Gives it its next value; the one before is forgotten. @returns undefined when there is none of this name */
  replace(tenant: string, name: string, seal: Sealing, at: string): Promise<SecretRecord | undefined>;
  remove(tenant: string, name: string): Promise<RemovedSecret>;
  /** The names of functions by the secret that they refer to, in versions that requests may go to. */
  users(tenant: string): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Changes how every value's key is wrapped, in one go. @returns how many were changed */
  rewrapAll(rewrap: (secret: SealedSecret) => SealedValue | undefined): Promise<number>;
}
