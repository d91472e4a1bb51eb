/** What Lambda's API says of functions, in control's database. */
import type { SQLTagStore } from 'node:sqlite';
import { isDeepStrictEqual } from 'node:util';
import type { InvokePolicy } from '../../model/invoke-policy.ts';
import type { Change } from '../../wire/published-state.ts';
import type { Commit } from '../sqlite-commit.ts';
import { policyOf } from './invoke-policy-of.ts';
import { type LambdaRecord, lambdaRecordSchema, usualRecord } from './lambda-record.ts';
import type { FunctionMapping, LambdaStore } from './lambda-store.ts';

export interface SqliteLambdaMeans {
  /** Prepared statements of the database. */
  readonly sql: SQLTagStore;
  readonly commit: Commit;
  /** Of what is published. */
  readonly revision: () => number;
  /** What those who watch are told of a function that was changed. */
  readonly served: (tenant: string, name: string) => Change;
}

export class SqliteLambda implements LambdaStore {
  readonly #means: SqliteLambdaMeans;

  constructor(means: SqliteLambdaMeans) {
    this.#means = means;
  }

  find(tenant: string, name: string): Promise<LambdaRecord | undefined> {
    return this.#means.commit.read(() => this.#find(tenant, name));
  }

  mappings(tenant: string): Promise<readonly FunctionMapping[]> {
    return this.#means.commit.read(() => {
      const rows = this.#means.sql.all`
        SELECT function, record FROM lambda_records
        WHERE tenant = ${tenant} AND coalesce(json_extract(record, '$.mappings'), '{}') <> '{}'`;
      const found = rows.flatMap(({ function: name, record }) =>
        Object.values(recordOf(record).mappings).map((mapping) => ({ function: String(name), mapping })),
      );
      return found.sort((one, other) => (one.mapping.uuid < other.mapping.uuid ? -1 : 1));
    });
  }

  change(tenant: string, name: string, decide: (record: LambdaRecord) => LambdaRecord): Promise<number | undefined> {
    const { sql, commit, revision, served } = this.#means;
    return commit.change(() => {
      const before = this.#find(tenant, name) ?? usualRecord;
      const record = decide(before);
      const put = sql.run`
        INSERT INTO lambda_records (tenant, function, record)
        SELECT tenant, name, ${JSON.stringify(record)} FROM functions WHERE tenant = ${tenant} AND name = ${name}
        ON CONFLICT DO UPDATE SET record = excluded.record`;
      if (Number(put.changes) === 0) return { result: undefined };
      if (isDeepStrictEqual(policyOf(before), policyOf(record))) return { result: revision() };
      const change = served(tenant, name);
      return { result: change.revision, change };
    });
  }

  /** For what is published. */
  policyOf(tenant: string, name: string): InvokePolicy | undefined {
    const record = this.#find(tenant, name);
    return record === undefined ? undefined : policyOf(record);
  }

  #find(tenant: string, name: string): LambdaRecord | undefined {
    const row = this.#means.sql.get`SELECT record FROM lambda_records WHERE tenant = ${tenant} AND function = ${name}`;
    return row === undefined ? undefined : recordOf(row['record']);
  }
}

const recordOf = (text: unknown): LambdaRecord => lambdaRecordSchema.parse(JSON.parse(String(text)));
