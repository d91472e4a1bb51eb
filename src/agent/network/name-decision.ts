/** Whether a function may know the addresses of a name. Pure. */
import { listsOf, type NetworkPolicy } from '../../model/network-policy.ts';
import { hasName } from '../../model/network-target.ts';

export type NameDecision =
  /** `pins`: the lines of `allow` that its addresses are opened for; none where addresses need not be opened. */
  { readonly kind: 'ask'; readonly pins: readonly number[] } | { readonly kind: 'refuse'; readonly why: string };

/** @param name in lower case, without the dot at its end */
export function decideName(policy: NetworkPolicy, name: string): NameDecision {
  if (policy === 'none') return { kind: 'refuse', why: 'the function has "network: none"' };
  if (policy === 'internet') return { kind: 'ask', pins: [] };
  const { allow, deny } = listsOf(policy);
  const denied = deny.find((target) => hasName(target, name));
  if (denied !== undefined) return { kind: 'refuse', why: `the function’s "network.deny" has it: ${denied.text}` };
  if (allow === undefined) return { kind: 'ask', pins: [] };
  const pins = allow.flatMap((target, index) => (hasName(target, name) ? [index] : []));
  if (pins.length > 0 || allow.some(({ to }) => to.kind === 'any')) return { kind: 'ask', pins };
  return { kind: 'refuse', why: 'the function’s "network.allow" does not have it' };
}

/** What is said of an answer that leads on to a denied name. */
export function deniedAlias(policy: NetworkPolicy, names: readonly string[]): string | undefined {
  if (typeof policy === 'string') return undefined;
  const { deny } = listsOf(policy);
  for (const name of names) {
    const denied = deny.find((target) => hasName(target, name));
    if (denied !== undefined) return `it is another name of ${name}, which the function’s "network.deny" has: ${denied.text}`;
  }
  return undefined;
}
