/** Whether a caller may do what a route does. Each route says what right it needs, and of what; one that says nothing is the admin's. */
import type { FastifyRequest } from 'fastify';
import { SwiftletError } from '../../model/errors.ts';
import { defaultTenant, nameSchema } from '../../model/names.ts';
import { type Caller, homeTenant, judge, type Right, rolesWith, seesTenant, type Target } from '../../model/rights.ts';
import type { PublishedState } from '../../wire/published-state.ts';
import { tenantMissing } from '../tenant-missing.ts';
import { notFound } from './existing.ts';

/**
 * What a route is about: the function that its path, or its query, names, else the tenant as a whole; or what the word says. `anyone`:
 * whoever has a token.
 */
export type RouteScope = 'function or tenant' | 'tenant' | 'some function' | 'platform' | 'anyone';

export interface RouteNeeds {
  readonly right: Right;
  readonly scope: RouteScope;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    needs?: RouteNeeds;
  }
  interface FastifyRequest {
    /** The tenant whose things it is about; the caller has something to do with it. */
    tenant: string;
  }
}

/** For a route's `config`. */
export const needs = (right: Right, scope: RouteScope = 'function or tenant'): { readonly needs: RouteNeeds } => ({
  needs: { right, scope },
});

/** Of a route that says nothing: that is a mistake, and a safe one. */
const unsaid: RouteNeeds = { right: 'administer', scope: 'platform' };

/** Names the tenant that a request is about. */
export const tenantHeader = 'x-swiftlet-tenant';

/** @returns a hook that throws SwiftletError NameInvalid, TenantNotFound, FunctionNotFound or Forbidden */
export function authoriseCallers(state: () => PublishedState): (request: FastifyRequest) => Promise<void> {
  return (request) =>
    new Promise((resolve) => {
      const { right, scope } = request.routeOptions.config.needs ?? unsaid;
      request.tenant = tenantOf(request);
      if (scope !== 'platform') demandTenant(request, state());
      if (scope !== 'anyone') demand(request.caller, right, targetOf(request, scope));
      resolve();
    });
}

/**
 * Demands a right to what only a handler knows.
 * @throws SwiftletError Forbidden; FunctionNotFound or TenantNotFound for what is hidden from the caller
 */
export function demand(caller: Caller, right: Right, target: Target): void {
  const verdict = judge(caller, right, target);
  if (verdict === 'denied') throw forbidden(right, target);
  if (verdict === 'hidden')
    throw target.kind === 'function' ? notFound(target.name) : tenantMissing('tenant' in target ? target.tenant : '');
}

/** The one that the path names, else the header, else the caller's own, else the first of all. */
function tenantOf({ params, headers, caller }: FastifyRequest): string {
  const named = textIn(params, 'tenant') ?? headers[tenantHeader];
  if (named === undefined) return homeTenant(caller) ?? defaultTenant;
  const parsed = nameSchema.safeParse(named);
  if (!parsed.success)
    throw new SwiftletError('NameInvalid', `tenant: ${parsed.error.issues[0]?.message ?? 'is no name'}`, { place: 'tenant' });
  return parsed.data;
}

function demandTenant({ tenant, caller }: FastifyRequest, { tenants }: PublishedState): void {
  if (!tenants.has(tenant) || !seesTenant(caller, tenant)) throw tenantMissing(tenant);
}

function targetOf({ params, query, tenant }: FastifyRequest, scope: Exclude<RouteScope, 'anyone'>): Target {
  if (scope === 'platform') return { kind: 'platform' };
  if (scope === 'some function' || scope === 'tenant') return { kind: scope, tenant };
  const name = textIn(params, 'name') ?? textIn(query, 'function');
  return name === undefined ? { kind: 'tenant', tenant } : { kind: 'function', tenant, name };
}

function textIn(values: unknown, key: string): string | undefined {
  if (typeof values !== 'object' || values === null || !Object.hasOwn(values, key)) return undefined;
  const value: unknown = values[key as keyof typeof values];
  return typeof value === 'string' ? value : undefined;
}

function forbidden(right: Right, target: Target): SwiftletError {
  const what =
    target.kind === 'function' ? `function "${target.name}"` : target.kind === 'platform' ? 'the platform' : `tenant "${target.tenant}"`;
  const scoped = target.kind === 'tenant' ? ', not for single functions of it' : '';
  return new SwiftletError('Forbidden', `this needs the right to ${right} ${what}: the role ${rolesWith(right).join(' or ')}${scoped}`);
}
