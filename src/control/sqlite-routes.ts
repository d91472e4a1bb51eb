/** Which function takes which requests: routes in control's database, so that no two functions take the same. A part of others' transactions. */
import type { SQLTagStore } from 'node:sqlite';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { claimsOf, coversHost, firstName, type HttpRoute, type RouteClaim, routeText, scopeOf } from '../model/http-route.ts';
import { defaultTenant } from '../model/names.ts';
import { findTenant } from './sqlite-tenants.ts';

interface Owner {
  readonly tenant: string;
  readonly name: string;
}

const ownerSchema = z.object({ tenant: z.string(), name: z.string() });
const settingsSchema = z.object({ hosts: z.array(z.string()).default([]) });

export class SqliteRoutes {
  readonly #sql: SQLTagStore;

  constructor(sql: SQLTagStore) {
    this.#sql = sql;
  }

  /**
   * Gives a function these routes, in the place of all that it had.
   * @throws SwiftletError RouteConflict when another function has one of them, or the name that one begins with; Forbidden for a host that its
   *   tenant was not given
   */
  claim(owner: Owner, routes: readonly HttpRoute[]): void {
    this.#sql.run`DELETE FROM routes WHERE tenant = ${owner.tenant} AND function = ${owner.name}`;
    for (const [at, route] of routes.entries()) {
      this.#demandHost(owner, route, at);
      this.#demandName(owner, route, at);
      for (const claim of claimsOf(owner.tenant, route)) this.#add(owner, route, claim, at);
    }
  }

  /** @throws SwiftletError RouteConflict when routes of another function begin with the name of one that is to be made */
  demandNoRoutes({ tenant, name }: Owner): void {
    const scope = scopeOf(tenant, undefined);
    const [path, below, above] = [`/${name}`, `/${name}/`, `/${name}0`];
    const row = this.#sql.get`
      SELECT tenant, function AS name FROM routes
      WHERE scope = ${scope} AND (shape = ${path} OR (shape >= ${below} AND shape < ${above})) AND function <> ${name} LIMIT 1`;
    if (row === undefined) return;
    const { name: other } = ownerSchema.parse(row);
    throw conflict(
      `routes of function "${other}" begin with /${name}, where function "${name}" would have its address; rename one of them`,
    );
  }

  #add({ tenant, name }: Owner, route: HttpRoute, { scope, method, shape }: RouteClaim, at: number): void {
    const row = this.#sql
      .get`SELECT tenant, function AS name FROM routes WHERE scope = ${scope} AND method = ${method} AND shape = ${shape}`;
    const other = row === undefined ? undefined : ownerSchema.parse(row);
    if (other === undefined) {
      this.#sql.run`INSERT INTO routes (scope, method, shape, tenant, function) VALUES (${scope}, ${method}, ${shape}, ${tenant}, ${name})`;
      return;
    }
    // Two versions of one function may have it, while one takes over.
    if (other.tenant === tenant && other.name === name) return;
    const whose = other.tenant === tenant ? `function "${other.name}"` : 'a function of another tenant';
    const what = `function "${name}" wants ${routeText(route, method)}, which ${whose} has`;
    throw conflict(`${what}; take it out of one of them, or use another host, method or path`, at);
  }

  #demandName({ tenant, name }: Owner, route: HttpRoute, at: number): void {
    const first = firstName(route);
    if (first === undefined || first === name) return;
    if (this.#sql.get`SELECT 1 FROM functions WHERE tenant = ${tenant} AND name = ${first}` === undefined) return;
    throw conflict(
      `function "${name}" wants ${route.path}, and /${first} is the address of function "${first}"; use another path, or name a host`,
      at,
    );
  }

  #demandHost({ tenant }: Owner, { host }: HttpRoute, at: number): void {
    if (host === undefined) return;
    const covers = (pattern: string) => coversHost(pattern, host);
    if (tenant === defaultTenant) {
      const rows = this.#sql.all`SELECT settings FROM tenants WHERE name <> ${tenant} AND removed_at IS NULL`;
      const given = rows.flatMap(({ settings }) => settingsSchema.parse(JSON.parse(String(settings))).hosts);
      if (!given.some(covers)) return;
    } else if (findTenant(this.#sql, tenant)?.hosts?.some(covers) === true) return;
    const remedy = tenant === defaultTenant ? 'it was given to another one' : `"swiftlet tenant set ${tenant} --host ${host}" gives it`;
    throw new SwiftletError('Forbidden', `routes of tenant "${tenant}" may not name the host ${host}: ${remedy}`, {
      place: `routes.${at}.host`,
    });
  }
}

const conflict = (detail: string, at?: number): SwiftletError =>
  new SwiftletError('RouteConflict', detail, { place: at === undefined ? 'name' : `routes.${at}.path` });
