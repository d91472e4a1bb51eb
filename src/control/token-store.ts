import type { PublishedToken } from '../model/token.ts';

/** A token as it is kept: never itself, only its hash. */
export interface TokenRecord extends PublishedToken {
  /** What it is for, as whoever made it said. */
  readonly name: string;
  readonly createdAt: string;
  /** The id of the caller who made it. */
  readonly createdBy: string;
}

/** The tokens of a store. What `Store` promises of durability, order and revisions holds here, too. */
export interface TokenStore {
  /** @returns the revision @throws SwiftletError TenantNotFound; Conflict when the tenant has as many as it may */
  add(token: TokenRecord): Promise<number>;
  /**
   * Makes a token worth nothing.
   * @param tenant the one it is for; `*` for one of the whole platform
   * @returns the token that was, and the revision; undefined when there is no such token
   */
  revoke(tenant: string, id: string): Promise<{ readonly token: TokenRecord; readonly revision: number } | undefined>;
  /** Lets a token end at another time. @returns as `revoke` does */
  expire(tenant: string, id: string, expiresAt: string): Promise<{ readonly token: TokenRecord; readonly revision: number } | undefined>;
  /** Oldest first, also those that have expired. */
  list(tenant: string): Promise<TokenRecord[]>;
}
