/** Who may do what: roles, the rights of each, and what a grant covers. Pure: control and gateways decide by the same functions. */
import { z } from 'zod';
import { nameSchema } from './names.ts';

/**
 * `read` what there is, logs and traces among it · `invoke` functions · `change` functions: deploy, remove · `steer` traffic: aliases,
 * rollouts, dead letters · `oversee`: figures, audit, the health of the guards · `administer`: tenants, tokens.
 */
export const rights = ['read', 'invoke', 'change', 'steer', 'oversee', 'administer'] as const;
export type Right = (typeof rights)[number];

export const accessRoles = ['admin', 'operator', 'developer', 'invoker', 'viewer'] as const;
export type AccessRole = (typeof accessRoles)[number];

const rightsOf: Readonly<Record<AccessRole, readonly Right[]>> = {
  admin: rights,
  operator: ['read', 'invoke', 'steer', 'oversee'],
  developer: ['read', 'invoke', 'change', 'steer'],
  invoker: ['invoke'],
  viewer: ['read'],
};

export const hasRight = (role: AccessRole, right: Right): boolean => rightsOf[role].includes(right);

/** In the place of a tenant's name: all of them, and the platform itself. */
export const everyTenant = '*';

/** A role in one tenant, or in some of its functions only, or on the whole platform. */
export const grantSchema = z
  .strictObject({
    role: z.enum(accessRoles),
    tenant: z.union([nameSchema, z.literal(everyTenant)]),
    /** Absent: all of the tenant's. */
    functions: z.array(nameSchema).min(1).max(100).readonly().optional(),
  })
  .refine(({ tenant, functions }) => tenant !== everyTenant || functions === undefined, {
    error: 'functions are of one tenant; name it',
    path: ['functions'],
  });
export type Grant = Readonly<z.output<typeof grantSchema>>;

/** Somebody whom the platform knows, for as long as one request. */
export interface Caller {
  /** Who it is in records: `root`, the id of a token, or issuer and subject of an identity. Nothing secret. */
  readonly id: string;
  readonly kind: 'root' | 'token' | 'identity';
  readonly grants: readonly Grant[];
}

/** Whoever has the token of the data folder. */
export const root: Caller = { id: 'root', kind: 'root', grants: [{ role: 'admin', tenant: everyTenant }] };

/** What somebody wants to do something with. */
export type Target =
  | { readonly kind: 'function'; readonly tenant: string; readonly name: string }
  /** What is not of single functions: a grant for some of them is not enough. */
  | { readonly kind: 'tenant'; readonly tenant: string }
  /** A grant for one function is enough; what is shown, or done, is judged by function then. */
  | { readonly kind: 'some function'; readonly tenant: string }
  | { readonly kind: 'platform' };

/** Hidden: to this caller there is no such thing, whether there is one or not. */
export type Verdict = 'granted' | 'denied' | 'hidden';

/** Whether a caller has a right to a target. */
export function judge({ grants }: Pick<Caller, 'grants'>, right: Right, target: Target): Verdict {
  let isSeen = target.kind === 'platform';
  for (const grant of grants) {
    const covered = covers(grant, target);
    if (covered && hasRight(grant.role, right)) return 'granted';
    isSeen ||= covered || (target.kind !== 'platform' && target.kind !== 'function' && isOf(grant, target.tenant));
  }
  return isSeen ? 'denied' : 'hidden';
}

function covers(grant: Grant, target: Target): boolean {
  if (target.kind === 'platform') return grant.tenant === everyTenant;
  if (!isOf(grant, target.tenant)) return false;
  if (grant.functions === undefined || target.kind === 'some function') return true;
  return target.kind === 'function' && grant.functions.includes(target.name);
}

const isOf = (grant: Grant, tenant: string): boolean => grant.tenant === everyTenant || grant.tenant === tenant;

/** The tenant that a caller means who names none: the one of its first grant; undefined when that is the whole platform. */
export function homeTenant({ grants }: Pick<Caller, 'grants'>): string | undefined {
  const tenant = grants[0]?.tenant;
  return tenant === everyTenant ? undefined : tenant;
}

/** Whether a tenant is any of a caller's concern; to others it is not there. */
export const seesTenant = ({ grants }: Pick<Caller, 'grants'>, tenant: string): boolean => grants.some((grant) => isOf(grant, tenant));

/** The roles that have a right, for those who lack it. */
export const rolesWith = (right: Right): AccessRole[] => accessRoles.filter((role) => hasRight(role, right));
