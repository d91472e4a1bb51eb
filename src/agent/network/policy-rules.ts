/** A policy as rules of nftables. Pure: text in, text out. */
import { createHash } from 'node:crypto';
import { listsOf, type NetworkPolicy, privateNames } from '../../model/network-policy.ts';
import type { Target } from '../../model/network-target.ts';

/** Addresses of one name that are open at once; above it the oldest have to end first. */
const pinsPerName = 4_096;

/** Names a policy in the rules: the same for all versions that say the same. */
export const policyId = (policy: NetworkPolicy): string =>
  typeof policy === 'string' ? policy : createHash('sha256').update(JSON.stringify(policy)).digest('hex').slice(0, 12);

export const policyChain = (id: string): string => `policy_${id}`;

/** Where the addresses of a list’s name are pinned. @param index of its line among those of `allow` */
export const pinSet = (id: string, index: number, family: 4 | 6): string => `pins${family}_${id}_${index}`;

const version = (family: 4 | 6): string => (family === 4 ? 'ip' : 'ip6');

/** The rules of one policy with lists, for a table that has the chains `open`, `denied` and `unlisted`. */
export function policyRules(policy: Exclude<NetworkPolicy, string>): string {
  const id = policyId(policy);
  const { allow, deny } = listsOf(policy);
  const sets = (allow ?? []).flatMap((target, index) => (target.to.kind === 'name' ? pinSets(id, index) : []));
  const rules = [
    ...deny.flatMap((target) => matches(target, () => undefined).map((match) => `${match} goto denied`)),
    // Marked are the packets to the policy’s private networks alone.
    ...(privateNames(policy).length === 0 ? [] : ['meta mark != 0 goto open']),
    ...(allow ?? []).flatMap((target, index) =>
      matches(target, (family) => pinSet(id, index, family)).map((match) => `${match} goto open`),
    ),
    allow === undefined ? 'goto open' : 'goto unlisted',
  ];
  return [...sets, `chain ${policyChain(id)} {`, ...rules.map((rule) => `  ${rule.trim()}`), '}'].join('\n');
}

/** What a policy is removed by; nothing may be bound to it. */
export function policyRemoval(policy: Exclude<NetworkPolicy, string>): string {
  const id = policyId(policy);
  const names = (policy.allow === undefined ? [] : (listsOf(policy).allow ?? [])).flatMap(({ to }, index) =>
    to.kind === 'name' ? [pinSet(id, index, 4), pinSet(id, index, 6)] : [],
  );
  return [`delete chain inet swiftlet ${policyChain(id)}`, ...names.map((name) => `delete set inet swiftlet ${name}`)].join('\n');
}

const pinSets = (id: string, index: number): string[] =>
  ([4, 6] as const).map((family) => `set ${pinSet(id, index, family)} { type ipv${family}_addr; flags timeout; size ${pinsPerName}; }`);

/** One match for each family of addresses that a target means. @param pinned the set of a name; of a denied name there is none */
function matches({ to, ports }: Target, pinned: (family: 4 | 6) => string | undefined): string[] {
  const behind = ports === undefined ? '' : `meta l4proto { tcp, udp } th dport ${ports.from}-${ports.to}`;
  switch (to.kind) {
    case 'any':
      return [behind];
    case 'range':
      return [`${version(to.family)} daddr ${to.address}/${to.prefix} ${behind}`];
    case 'name':
      return ([4, 6] as const).flatMap((family) => {
        const set = pinned(family);
        return set === undefined ? [] : [`${version(family)} daddr @${set} ${behind}`];
      });
  }
}
