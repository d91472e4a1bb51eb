/** The traffic of functions in control's database: a document for each, since it is read and changed as a whole. */
import type { SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import { rolloutUnderWay, type Traffic, trafficSchema } from './traffic.ts';

const rowSchema = z.object({
  state: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(trafficSchema),
});

export class SqliteTraffic {
  readonly #sql: SQLTagStore;

  constructor(sql: SQLTagStore) {
    this.#sql = sql;
  }

  find(tenant: string, name: string): Traffic | undefined {
    const row = this.#sql.get`SELECT state FROM traffic WHERE tenant = ${tenant} AND function = ${name}`;
    return row === undefined ? undefined : rowSchema.parse(row).state;
  }

  put(tenant: string, name: string, traffic: Traffic): void {
    const isMoving = rolloutUnderWay(traffic) === undefined ? 0 : 1;
    this.#sql.run`
      INSERT INTO traffic (tenant, function, state, is_moving) VALUES (${tenant}, ${name}, ${JSON.stringify(traffic)}, ${isMoving})
      ON CONFLICT DO UPDATE SET state = excluded.state, is_moving = excluded.is_moving`;
  }

  /** Functions of all tenants with a rollout under way. */
  moving(): { tenant: string; name: string }[] {
    return this.#sql.all`SELECT tenant, function AS name FROM traffic WHERE is_moving = 1`.map(({ tenant, name }) => ({
      tenant: String(tenant),
      name: String(name),
    }));
  }
}
