/** Where a function's own connections may lead to. */
import { z } from 'zod';
import { maxNetworkTargetLength, maxNetworkTargets, maxPrivateNames } from './limits.ts';
import { nameSchema } from './names.ts';
import { parseTarget, type Target } from './network-target.ts';

const targetSchema = z
  .string('it is text, such as api.example.com:443 or 203.0.113.0/24')
  .max(maxNetworkTargetLength)
  .superRefine((text, context) => {
    try {
      parseTarget(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    }
  });
const targetsSchema = z
  .array(targetSchema, 'it is a list of addresses, ranges and host names, each with ports or without')
  .max(maxNetworkTargets, `a list has at most ${maxNetworkTargets} lines`);

const privateSchema = z
  .array(nameSchema, 'it is a list of private networks, by their names')
  .min(1, 'it names a private network at least')
  .max(maxPrivateNames, `a function has at most ${maxPrivateNames} private networks`)
  .refine((names) => new Set(names).size === names.length, 'it names each private network once');

const listsSchema = z
  .strictObject(
    { allow: targetsSchema.optional(), deny: targetsSchema.optional(), private: privateSchema.optional() },
    'it has the keys allow, deny and private',
  )
  .refine(
    (lists) => lists.allow !== undefined || lists.deny !== undefined || lists.private !== undefined,
    'it has allow, deny or private; without them say none or internet',
  );

/** As a manifest and the API have it: nothing, everything public, or lists. Addresses of a private network are open unless `deny` has them. */
export const networkPolicySchema = z.union(
  [z.enum(['none', 'internet']), listsSchema],
  'it is none, internet, or { allow: […], deny: […], private: […] } with lines like api.example.com:443 or 203.0.113.0/24',
);
export type NetworkPolicy = z.output<typeof networkPolicySchema>;

/** Of functions for which neither they nor their tenants say anything. */
export const usualPolicy: NetworkPolicy = 'internet';

/** A version’s policy. Those that were deployed have one of their own. */
export const networkOf = ({ config: { network } }: { readonly config: { readonly network?: NetworkPolicy | undefined } }): NetworkPolicy =>
  network ?? usualPolicy;

/** A policy’s lists, read. */
export interface NetworkLists {
  /** Absent: everything that is not denied. */
  readonly allow: readonly Target[] | undefined;
  readonly deny: readonly Target[];
}

/** @param policy checked by its schema */
export function listsOf(policy: Exclude<NetworkPolicy, string>): NetworkLists {
  return { allow: policy.allow?.map(parseTarget), deny: (policy.deny ?? []).map(parseTarget) };
}

/** The private networks that a policy names. */
export const privateNames = (policy: NetworkPolicy): readonly string[] => (typeof policy === 'string' ? [] : (policy.private ?? []));

/** In a few words, for people. */
export function policyText(policy: NetworkPolicy): string {
  if (typeof policy === 'string') return policy;
  const { allow, deny = [] } = policy;
  const denied = deny.length === 0 ? [] : [`deny ${deny.join(', ')}`];
  const names = privateNames(policy);
  const reached = names.length === 0 ? [] : [`private ${names.join(', ')}`];
  return [...(allow === undefined ? [] : [`allow ${allow.join(', ') || 'nothing'}`]), ...denied, ...reached].join('; ');
}
