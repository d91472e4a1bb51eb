/** What the agent and its resolver say to each other. Both parse what they hear: the resolver reads packets of hostile code. */
import { z } from 'zod';
import { networkPolicySchema } from '../../model/network-policy.ts';
import { lineCount } from './address-plan.ts';

/** What the resolver is started with. */
export const resolverSettingsSchema = z.object({
  plan: z.object({ block: z.int(), id: z.string() }),
  /** Servers to ask, as `192.0.2.53`; empty: those of the host’s /etc/resolv.conf. */
  servers: z.array(z.string()),
  /** Given up for this once the code is loaded; absent: the rights stay. */
  uid: z.int().optional(),
  /** Whether what it asks goes out of another namespace than the host’s, and so not to the host’s loopback. */
  isApart: z.boolean().optional(),
});
export type ResolverSettings = z.output<typeof resolverSettingsSchema>;

/** Agent → resolver. */
export const resolverOrderSchema = z.discriminatedUnion('kind', [
  /** Whose line it is, that the resolver asked about, now and until the next; without a policy nobody’s. */
  z.object({ kind: z.literal('line'), line: z.int(), policy: networkPolicySchema.optional() }),
  z.object({ kind: z.literal('pinned'), id: z.int() }),
]);
export type ResolverOrder = z.output<typeof resolverOrderSchema>;

const addressSchema = z.union([z.ipv4(), z.ipv6()]);
/** Resolver → agent. */
export const resolverNewsSchema = z.discriminatedUnion('kind', [
  /** A line nobody has told it of has asked for a name. */
  z.object({
    kind: z.literal('who'),
    line: z
      .int()
      .min(0)
      .max(lineCount - 1),
  }),
  /** These addresses are to be open before the function learns them; answered by `pinned`. */
  z.object({
    kind: z.literal('pin'),
    id: z.int(),
    line: z.int(),
    /** Lines of the policy’s `allow`. */
    indexes: z.array(z.int()).max(64),
    found: z.array(z.object({ address: addressSchema, ttlSeconds: z.int().min(0) })).max(64),
  }),
  z.object({ kind: z.literal('refused'), line: z.int(), name: z.string().max(255), why: z.string().max(600) }),
]);
export type ResolverNews = z.output<typeof resolverNewsSchema>;

/** The resolver’s descriptors of the sockets that listen in the router. */
export const resolverDescriptors = { udp: 4, tcp: 5 } as const;
