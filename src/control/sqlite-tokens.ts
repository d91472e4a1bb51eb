/** Tokens in control's database. */
import type { SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { maxTokens } from '../model/limits.ts';
import { everyTenant, grantSchema } from '../model/rights.ts';
import type { PublishedToken } from '../model/token.ts';
import type { Commit } from './sqlite-commit.ts';
import { findTenant } from './sqlite-tenants.ts';
import { tenantMissing } from './tenant-missing.ts';
import type { TokenRecord, TokenStore } from './token-store.ts';

const rowSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    hash: z.string(),
    grant: z
      .string()
      .transform((text): unknown => JSON.parse(text))
      .pipe(grantSchema),
    expiresAt: z.string().nullable(),
    createdAt: z.string(),
    createdBy: z.string(),
  })
  .transform(({ expiresAt, ...row }): TokenRecord => ({ ...row, ...(expiresAt === null ? {} : { expiresAt }) }));

export class SqliteTokens implements TokenStore {
  readonly #sql: SQLTagStore;
  readonly #commit: Commit;

  constructor(sql: SQLTagStore, commit: Commit) {
    this.#sql = sql;
    this.#commit = commit;
  }

  add(token: TokenRecord): Promise<number> {
    const { id, name, hash, grant, expiresAt = null, createdAt, createdBy } = token;
    return this.#commit.change((nextRevision) => {
      if (grant.tenant !== everyTenant && findTenant(this.#sql, grant.tenant) === undefined) throw tenantMissing(grant.tenant);
      this.#demandRoom(grant.tenant);
      this.#sql.run`
        INSERT INTO tokens (id, tenant, name, hash, rights, expires_at, created_at, created_by)
        VALUES (${id}, ${grant.tenant}, ${name}, ${hash}, ${JSON.stringify(grant)}, ${expiresAt}, ${createdAt}, ${createdBy})`;
      const revision = nextRevision();
      return { result: revision, change: { revision, change: { kind: 'token granted', token: publishedToken(token) } } };
    });
  }

  revoke(tenant: string, id: string): Promise<{ token: TokenRecord; revision: number } | undefined> {
    return this.#commit.change((nextRevision) => {
      const row = this.#sql.get`
        DELETE FROM tokens WHERE id = ${id} AND tenant = ${tenant}
        RETURNING id, name, hash, rights AS grant, expires_at AS expiresAt, created_at AS createdAt, created_by AS createdBy`;
      if (row === undefined) return { result: undefined };
      const revision = nextRevision();
      return { result: { token: rowSchema.parse(row), revision }, change: { revision, change: { kind: 'token revoked', id } } };
    });
  }

  expire(tenant: string, id: string, expiresAt: string): Promise<{ token: TokenRecord; revision: number } | undefined> {
    return this.#commit.change((nextRevision) => {
      const row = this.#sql.get`
        UPDATE tokens SET expires_at = ${expiresAt} WHERE id = ${id} AND tenant = ${tenant}
        RETURNING id, name, hash, rights AS grant, expires_at AS expiresAt, created_at AS createdAt, created_by AS createdBy`;
      if (row === undefined) return { result: undefined };
      const [token, revision] = [rowSchema.parse(row), nextRevision()];
      return { result: { token, revision }, change: { revision, change: { kind: 'token granted', token: publishedToken(token) } } };
    });
  }

  list(tenant: string): Promise<TokenRecord[]> {
    return this.#commit.read(() =>
      this.#sql.all`
        SELECT id, name, hash, rights AS grant, expires_at AS expiresAt, created_at AS createdAt, created_by AS createdBy
        FROM tokens WHERE tenant = ${tenant} ORDER BY created_at, id`.map((row) => rowSchema.parse(row)),
    );
  }

  /** Of all tenants, for the snapshot. */
  published(): PublishedToken[] {
    return this.#sql.all`
      SELECT id, name, hash, rights AS grant, expires_at AS expiresAt, created_at AS createdAt, created_by AS createdBy FROM tokens`.map(
      (row) => publishedToken(rowSchema.parse(row)),
    );
  }

  /** @throws SwiftletError Conflict */
  #demandRoom(tenant: string): void {
    const count = Number(this.#sql.get`SELECT count(*) AS n FROM tokens WHERE tenant = ${tenant}`?.['n']);
    if (count < maxTokens) return;
    throw new SwiftletError(
      'Conflict',
      `there are ${maxTokens} tokens already; revoke those that nobody needs with "swiftlet token revoke"`,
    );
  }
}

const publishedToken = ({ id, hash, grant, expiresAt }: TokenRecord): PublishedToken => ({
  id,
  hash,
  grant,
  ...(expiresAt === undefined ? {} : { expiresAt }),
});
