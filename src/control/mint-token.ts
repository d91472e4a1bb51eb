import { randomBytes } from 'node:crypto';
import { secretOf } from '../model/access-key.ts';
import { newToken } from '../model/token.ts';
import type { AccessKeys } from './access-keys.ts';
import type { TokenRecord, TokenStore } from './token-store.ts';

export interface MintMeans {
  readonly tokens: Pick<TokenStore, 'add'>;
  readonly accessKeys: Pick<AccessKeys, 'add'>;
  readonly now: () => number;
}

/** What a token is to be. */
export interface TokenWish extends Pick<TokenRecord, 'name' | 'grant' | 'createdBy'> {
  readonly expiresAt: string | undefined;
  /** Whether requests can be signed with it, too. */
  readonly isAccessKey: boolean;
}

export interface MintedToken {
  readonly record: TokenRecord;
  /** In clear, for this once. */
  readonly token: string;
  /** Absent for one that signs nothing. */
  readonly secretAccessKey?: string;
  readonly revision: number;
}

/** Makes a token. @throws SwiftletError TenantNotFound, Conflict when there are as many as may be */
export async function mintToken({ tokens, accessKeys, now }: MintMeans, wish: TokenWish): Promise<MintedToken> {
  const { id, token, hash } = newToken(randomBytes);
  const { name, grant, createdBy, expiresAt, isAccessKey } = wish;
  const createdAt = new Date(now()).toISOString();
  const record: TokenRecord = { id, name, hash, grant, createdAt, createdBy, ...(expiresAt === undefined ? {} : { expiresAt }) };
  if (!isAccessKey) return { record, token, revision: await tokens.add(record) };
  const secretAccessKey = secretOf(token);
  return { record, token, secretAccessKey, revision: await accessKeys.add(id, secretAccessKey, () => tokens.add(record)) };
}
