/** What artifacts' files come to, in control's database. */
import type { SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import { type Contents, contentsSchema } from '../../model/size.ts';
import type { PartUse, SizeStore } from './size-store.ts';

const contentsText = z
  .string()
  .transform((text): unknown => JSON.parse(text))
  .pipe(contentsSchema);
const useSchema = z.object({ content: z.string(), function: z.string(), digest: z.string() });
const maxUses = 10_000;

export interface SqliteSizesMeans {
  /** Prepared statements of the database. */
  readonly sql: SQLTagStore;
  readonly read: <T>(work: () => T) => Promise<T>;
}

export class SqliteSizes implements SizeStore {
  readonly #means: SqliteSizesMeans;

  constructor(means: SqliteSizesMeans) {
    this.#means = means;
  }

  find(tenant: string, digest: string): Promise<Contents | undefined> {
    const { sql, read } = this.#means;
    return read(() => {
      const row = sql.get`SELECT contents FROM artifact_contents WHERE tenant = ${tenant} AND digest = ${digest}`;
      return row === undefined ? undefined : contentsText.parse(row['contents']);
    });
  }

  uses(tenant: string, digest: string): Promise<PartUse[]> {
    const { sql, read } = this.#means;
    return read(() =>
      sql.all`
        SELECT DISTINCT p.content, v.function, p.digest FROM artifact_parts own
        JOIN artifact_parts p ON p.tenant = own.tenant AND p.content = own.content
        JOIN versions v ON v.tenant = p.tenant AND v.digest = p.digest
        WHERE own.tenant = ${tenant} AND own.digest = ${digest} LIMIT ${maxUses}`.map((row) => useSchema.parse(row)),
    );
  }

  /** Part of the write that adds the artifact; of one that has them nothing changes. */
  note(tenant: string, digest: string, contents: Contents): void {
    const { sql } = this.#means;
    const added = sql.run`
      INSERT INTO artifact_contents (tenant, digest, contents) VALUES (${tenant}, ${digest}, ${JSON.stringify(contents)}) ON CONFLICT DO NOTHING`;
    if (Number(added.changes) === 0) return;
    for (const content of new Set(contents.parts.map((part) => part.content)))
      sql.run`INSERT INTO artifact_parts (tenant, digest, content) VALUES (${tenant}, ${digest}, ${content})`;
  }
}
