/** What control publishes to gateways and agents: a snapshot, then numbered changes. Each subscriber keeps a read-only copy. */
import { z } from 'zod';
import { type Version, versionSchema } from '../model/function.ts';
import { plainRouting, type Routing, routingSchema } from './routing.ts';

/** A function as it is served. The serving version stands for it: its configuration holds for what concerns the function as a whole. */
export const publishedFunctionSchema = z.object({
  tenant: z.string(),
  name: z.string(),
  serving: versionSchema,
  routing: routingSchema.default(plainRouting),
});
export type PublishedFunction = z.output<typeof publishedFunctionSchema>;

/** Notice `state`, first after every greeting: everything there is. */
export const snapshotSchema = z.object({
  revision: z.int(),
  functions: z.array(publishedFunctionSchema),
  /** SHA-256 of the tokens that may call the platform's own paths, in hex. */
  tokenHashes: z.array(z.string()),
});
export type Snapshot = z.output<typeof snapshotSchema>;

/** Notice `change`: what differs from the revision before. A subscriber that misses a number reconnects and takes a snapshot. */
export const changeSchema = z.object({
  revision: z.int(),
  change: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('served'), function: publishedFunctionSchema }),
    z.object({ kind: z.literal('removed'), tenant: z.string(), name: z.string() }),
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
  readonly tokenHashes: readonly string[];
}

export const stateOf = (snapshot: Snapshot): PublishedState => ({
  revision: snapshot.revision,
  functions: new Map(snapshot.functions.map((f) => [functionKey(f.tenant, f.name), f.serving])),
  routings: new Map(snapshot.functions.map((f) => [functionKey(f.tenant, f.name), f.routing])),
  tokenHashes: snapshot.tokenHashes,
});

/** The state after a change, or `undefined` when a change before it was missed. */
export function applyChange(state: PublishedState, { revision, change }: Change): PublishedState | undefined {
  if (revision !== state.revision + 1) return undefined;
  const functions = new Map(state.functions);
  const routings = new Map(state.routings);
  if (change.kind === 'served') {
    const { tenant, name, serving, routing } = change.function;
    functions.set(functionKey(tenant, name), serving);
    routings.set(functionKey(tenant, name), routing);
  } else {
    functions.delete(functionKey(change.tenant, change.name));
    routings.delete(functionKey(change.tenant, change.name));
  }
  return { ...state, revision, functions, routings };
}
