/** The table of the router: what becomes of every packet that a sandbox sends. Pure: text in, text out. */
import { sandboxBandwidth, sandboxLookups } from '../../model/limits.ts';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { type AddressPlan, addressText, type Line, router4, router6, uplink } from './address-plan.ts';
import { allowanceOf, type Divisor, divisors } from './allowance.ts';
import { allowanceMap, type Binding, bindingMaps, boundMap, openChain } from './binding.ts';
import { closed4, closed6 } from './closed-ranges.ts';
import { policyRules } from './policy-rules.ts';
import { fromTunnels, noPrivateNetworks, privateChains, type PrivateRules, privateSets, toRouter } from './private/private-rules.ts';
import type { Reason } from './refusal.ts';

/** Everything in the router’s namespace is Swiftlet’s. */
export const table = 'swiftlet';
/** What is counted of each line. */
export const counterSets = ['sent', 'received', 'opened', 'refused'] as const;

/** Refusals are told to this group of the kernel’s log, at most so many of one line in a second. */
export const refusalGroup = 1;
const toldPerSecond = 5;
const toldAtOnce = 20;

export interface RouterState {
  readonly plan: AddressPlan;
  /** Whether the resolver’s own questions go out of it. */
  readonly isOwn?: boolean;
  /** Ranges that the operator has opened although they are closed. */
  readonly opened: readonly string[];
  readonly policies: readonly NetworkPolicy[];
  readonly bound: ReadonlyMap<Line, Binding>;
  /** Absent: there are none. */
  readonly privately?: PrivateRules;
}

/** The whole table, as one transaction that takes the place of the one before. */
export function routerRules({ plan, isOwn = false, opened, policies, bound, privately = noPrivateNetworks }: RouterState): string {
  const lists = policies.flatMap((policy) => (typeof policy === 'string' ? [] : [policyRules(policy)]));
  return `
table inet ${table}
delete table inet ${table}
table inet ${table} {
  set closed4 { type ipv4_addr; flags interval; elements = { ${closed4.join(', ')} } }
  set closed6 { type ipv6_addr; flags interval; elements = { ${closed6.join(', ')} } }
  set opened4 { type ipv4_addr; flags interval; auto-merge; ${elements(opened.filter((range) => !range.includes(':')))} }
  set opened6 { type ipv6_addr; flags interval; auto-merge; ${elements(opened.filter((range) => range.includes(':')))} }
  ${[...counterSets, ...divisors.map(openNow)].map(perLine).join('\n  ')}
  ${['sending', 'receiving', ...divisors.map(opening), 'asking', 'telling'].map(forgetful).join('\n  ')}
  ${bindingMaps(bound)}
  ${privateSets(privately)}

  chain refuse {
    update @refused { iifname counter }
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  ${(['unbound', 'closed', 'neighbour', 'denied', 'unlisted', 'often', 'many', 'router', 'unreachable'] as const).map(refusal).join('\n  ')}
  ${divisors.toReversed().map(admitting).join('\n  ')}
  chain policy_internet {
    goto open
  }
  ${lists.join('\n  ')}
  chain choose {
    iifname vmap @${boundMap}
    goto unbound
  }
  ${privateChains(privately, bandwidth)}
  chain from_line {
    update @sending { iifname ${bandwidth} } drop
    update @sent { iifname counter }
    ct mark != 0 jump to_tunnel
    ct state established,related accept
    ct state invalid drop
    fib saddr . iif oif missing drop
    meta mark != 0 goto choose
    oifname != "${uplink.name}" goto neighbour
    ip daddr @opened4 goto choose
    ip6 daddr @opened6 goto choose
    ip daddr @closed4 goto closed
    ip6 daddr @closed6 goto closed
    goto choose
  }
  chain arriving {
    type filter hook prerouting priority filter; policy accept;
    # The kernel forwards nothing of these, and would drop it without a word.
    iifname != "${uplink.name}" ip6 daddr { fe80::/10, ff00::/8 } goto closed
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ${fromTunnels}
    iifname != "${uplink.name}" goto from_line
    update @receiving { oifname ${bandwidth} } drop
    update @received { oifname counter }
    ct state established,related accept
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    ${isOwn ? answersLetIn : `iifname "${uplink.name}" drop`}
    ${toRouter}
    ct state invalid drop
    ip daddr ${addressText(router4(plan).address)} meta l4proto { tcp, udp } th dport 53 jump question
    ip6 daddr ${addressText(router6(plan).address)} meta l4proto { tcp, udp } th dport 53 jump question
    ct state established,related accept
    goto router
  }
  chain question {
    update @asking { iifname limit rate over ${sandboxLookups.perSecond}/second burst ${sandboxLookups.burst} packets } goto often
    accept
  }
}`;
}

/** Of what comes from outside: where neighbours are, and answers to what was asked from here. */
const answersLetIn = `iifname "${uplink.name}" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname "${uplink.name}" ct state != { established, related } drop`;

const openNow = (divisor: Divisor): string => `now_${openChain(divisor)}`;
const opening = (divisor: Divisor): string => `opening_${divisor}`;

/** Lets through what a policy has allowed, as far as the limits go. Who has others than the usual goes there; nobody else is looked up twice. */
function admitting(divisor: Divisor): string {
  const { connections, perSecond, burst } = allowanceOf(divisor);
  return `chain ${openChain(divisor)} {
    ${divisor === 1 ? `iifname vmap @${allowanceMap}` : ''}
    update @${opening(divisor)} { iifname limit rate over ${perSecond}/second burst ${burst} packets } goto often
    add @${openNow(divisor)} { iifname ct count over ${connections} } goto many
    update @opened { iifname counter } accept
  }`;
}

const bandwidth = `limit rate over ${sandboxBandwidth.bytesPerSecond} bytes/second burst ${sandboxBandwidth.burstBytes} bytes`;

/** As many as there can be lines at any time, with room for those that have gone and were not forgotten yet. */
const perLine = (name: string): string => `set ${name} { type ifname; size 16384; flags dynamic; }`;

/** A limit that was not near for so long is as good as a new one. */
const forgetful = (name: string): string => `set ${name} { type ifname; size 16384; flags dynamic, timeout; timeout 1m; }`;

const elements = (list: readonly string[]): string => (list.length === 0 ? '' : `elements = { ${list.join(', ')} }`);

const refusal = (reason: Reason): string => `chain ${reason} {
    update @telling { iifname limit rate ${toldPerSecond}/second burst ${toldAtOnce} packets } log prefix "${reason}" group ${refusalGroup} snaplen 64
    goto refuse
  }`;
