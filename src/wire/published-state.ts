/** What control publishes to gateways and agents: a snapshot, then numbered changes. Each subscriber keeps a read-only copy. */
import { z } from 'zod';
import { type Version, versionSchema } from '../model/function.ts';
import { type InvokePolicy, invokePolicySchema } from '../model/invoke-policy.ts';
import { type PrivateNetwork, privateNetworkSchema } from '../model/private-network.ts';
import { tenantSettingsSchema } from '../model/tenant.ts';
import { type KnownToken, knownToken, publishedTokenSchema } from '../model/token.ts';
import { plainRouting, type Routing, routingSchema } from './routing.ts';

/** A function as it is served. The serving version stands for it: its configuration holds for what concerns the function as a whole. */
export const publishedFunctionSchema = z.object({
  tenant: z.string(),
  name: z.string(),
  serving: versionSchema,
  routing: routingSchema.default(plainRouting),
  /** Absent: nobody is let in beside those who have the right. */
  policy: invokePolicySchema.optional(),
});
export type PublishedFunction = z.output<typeof publishedFunctionSchema>;

/** A tenant as it is served: what its functions may take, and who may call them. */
export const publishedTenantSchema = tenantSettingsSchema.extend({ name: z.string() });
export type PublishedTenant = Readonly<z.output<typeof publishedTenantSchema>>;

/**
 * Notice `state`, first after every greeting: everything there is; of the functions the first ones when there are `more`. The subscriber
 * asks for the next ones by notice `next`, and they come as notice `functions`; changes that come meanwhile are of after all of it.
 */
export const snapshotSchema = z.object({
  revision: z.int(),
  functions: z.array(publishedFunctionSchema),
  /** SHA-256 in hex of the tokens that may do everything. */
  tokenHashes: z.array(z.string()),
  tokens: z.array(publishedTokenSchema).default([]),
  tenants: z.array(publishedTenantSchema).default([]),
  networks: z.array(privateNetworkSchema).default([]),
  more: z.boolean().default(false),
});
export type Snapshot = z.output<typeof snapshotSchema>;
export const moreFunctionsSchema = z.object({ functions: z.array(publishedFunctionSchema), more: z.boolean() });
/** One message has so many functions: it stays far below what a message may have, and is parsed in some milliseconds. */
export const functionsAtOnce = 500;

/** Notice `change`: what differs from the revision before. A subscriber that misses a number reconnects and takes a snapshot. */
export const changeSchema = z.object({
  revision: z.int(),
  change: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('served'), function: publishedFunctionSchema }),
    z.object({ kind: z.literal('removed'), tenant: z.string(), name: z.string() }),
    z.object({ kind: z.literal('token granted'), token: publishedTokenSchema }),
    z.object({ kind: z.literal('token revoked'), id: z.string() }),
    z.object({ kind: z.literal('tenant set'), tenant: publishedTenantSchema }),
    z.object({ kind: z.literal('network set'), network: privateNetworkSchema }),
    z.object({ kind: z.literal('network removed'), tenant: z.string(), name: z.string() }),
    /** With its tokens and private networks. */
    z.object({ kind: z.literal('tenant removed'), name: z.string() }),
  ]),
});
export type Change = z.output<typeof changeSchema>;

/**
 * Notice `applied`, from a subscriber: it acts on this revision now. An agent says so once the artifact is unpacked on its host,
 * the pool for it exists and its provisioned instances are there, or one failed, so that a deploy can end when its first request will be fast.
 */
export const appliedSchema = z.object({ revision: z.int() });

export const functionKey = (tenant: string, name: string): string => `${tenant}/${name}`;

/** A subscriber's copy. */
export interface PublishedState {
  readonly revision: number;
  /** The serving versions by the functions' keys. */
  readonly functions: ReadonlyMap<string, Version>;
  /** How requests are divided, by the same keys. */
  readonly routings: ReadonlyMap<string, Routing>;
  /** Of functions that have one, by the same keys. */
  readonly policies: ReadonlyMap<string, InvokePolicy>;
  readonly tokenHashes: readonly string[];
  /** By their ids, ready for comparing. */
  readonly tokens: ReadonlyMap<string, KnownToken>;
  /** By their names. */
  readonly tenants: ReadonlyMap<string, PublishedTenant>;
  /** Private networks, by the same keys as functions. */
  readonly networks: ReadonlyMap<string, PrivateNetwork>;
}

export const stateOf = ({
  revision,
  functions,
  tokenHashes,
  tokens,
  tenants,
  networks = [],
}: Omit<Snapshot, 'more' | 'networks'> & Partial<Pick<Snapshot, 'networks'>>): PublishedState => ({
  revision,
  functions: new Map(functions.map((f) => [functionKey(f.tenant, f.name), f.serving])),
  routings: new Map(functions.map((f) => [functionKey(f.tenant, f.name), f.routing])),
  policies: new Map(functions.flatMap((f) => (f.policy === undefined ? [] : [[functionKey(f.tenant, f.name), f.policy]]))),
  tokenHashes,
  tokens: new Map(tokens.map((token) => [token.id, knownToken(token)])),
  tenants: new Map(tenants.map((tenant) => [tenant.name, tenant])),
  networks: new Map(networks.map((network) => [functionKey(network.tenant, network.name), network])),
});

/** What is published before anything is. */
export const emptyState: PublishedState = stateOf({ revision: 0, functions: [], tokenHashes: [], tokens: [], tenants: [] });

/** The state after a change, or `undefined` when a change before it was missed. */
export function applyChange(state: PublishedState, { revision, change }: Change): PublishedState | undefined {
  if (revision !== state.revision + 1) return undefined;
  switch (change.kind) {
    case 'served': {
      const { tenant, name, serving, routing, policy } = change.function;
      const key = functionKey(tenant, name);
      return {
        ...state,
        revision,
        functions: withEntry(state.functions, key, serving),
        routings: withEntry(state.routings, key, routing),
        policies: policy === undefined ? without(state.policies, key) : withEntry(state.policies, key, policy),
      };
    }
    case 'removed': {
      const key = functionKey(change.tenant, change.name);
      const { functions, routings, policies } = state;
      return {
        ...state,
        revision,
        functions: without(functions, key),
        routings: without(routings, key),
        policies: without(policies, key),
      };
    }
    case 'token granted':
      return { ...state, revision, tokens: withEntry(state.tokens, change.token.id, knownToken(change.token)) };
    case 'token revoked':
      return { ...state, revision, tokens: without(state.tokens, change.id) };
    case 'tenant set':
      return { ...state, revision, tenants: withEntry(state.tenants, change.tenant.name, change.tenant) };
    case 'network set': {
      const { tenant, name } = change.network;
      return { ...state, revision, networks: withEntry(state.networks, functionKey(tenant, name), change.network) };
    }
    case 'network removed':
      return { ...state, revision, networks: without(state.networks, functionKey(change.tenant, change.name)) };
    case 'tenant removed': {
      const tokens = new Map([...state.tokens].filter(([, { published }]) => published.grant.tenant !== change.name));
      const networks = new Map([...state.networks].filter(([, { tenant }]) => tenant !== change.name));
      return { ...state, revision, tokens, networks, tenants: without(state.tenants, change.name) };
    }
  }
}

const withEntry = <V>(map: ReadonlyMap<string, V>, key: string, value: V): Map<string, V> => new Map(map).set(key, value);

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  if (!map.has(key)) return map;
  const rest = new Map(map);
  rest.delete(key);
  return rest;
}
