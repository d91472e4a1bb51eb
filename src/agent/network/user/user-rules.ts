/**
 * The table beside the router's when its way out is pasta, which does for the host's networks whatever any process of its user may do. So
 * what the host's own table refuses as root is refused here: connections to the host's addresses. Pure: text in, text out.
 */
import { type AddressPlan, pool4, pool6, rangeText, uplink } from '../address-plan.ts';
import type { Reason } from '../refusal.ts';
import { refusalGroup } from '../router-rules.ts';

const table = 'swiftlet_user';
const own: Reason = 'host';

/** Ranges of addresses, as `192.0.2.1/32`, `2001:db8::1/128`. */
export type HostAddresses = ReadonlySet<string>;

/** The whole table, as one transaction. @param addresses the host’s */
export function userRules(plan: AddressPlan, addresses: HostAddresses): string {
  return `
table inet ${table}
delete table inet ${table}
table inet ${table} {
  set host4 { type ipv4_addr; flags interval; auto-merge; }
  set host6 { type ipv6_addr; flags interval; auto-merge; }
  ${(['forward', 'input'] as const).map(guarding).join('\n  ')}
  chain own {
    limit rate 100/second burst 100 packets log prefix "${own}" group ${refusalGroup} snaplen 64
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${rangeText(pool4(plan))} oifname "${uplink.name}" masquerade
    ip6 saddr ${rangeText(pool6(plan))} oifname "${uplink.name}" masquerade
  }
}
${hostElements(addresses)}`;
}

/** The host has other addresses now, in one transaction. */
export function hostElements(addresses: HostAddresses): string {
  const fill = (family: 4 | 6) => {
    const mine = [...addresses].filter((address) => address.includes(':') === (family === 6));
    const added = mine.length === 0 ? [] : [`add element inet ${table} host${family} { ${mine.join(', ')} }`];
    return [`flush set inet ${table} host${family}`, ...added];
  };
  return [...fill(4), ...fill(6)].join('\n');
}

/** Only what comes from sandboxes is meant, and before the router’s own table has a say. */
const guarding = (hook: 'forward' | 'input'): string => `chain ${hook} {
    type filter hook ${hook} priority filter - 5; policy accept;
    iifname != { "lo", "${uplink.name}" } ip daddr @host4 goto own
    iifname != { "lo", "${uplink.name}" } ip6 daddr @host6 goto own
  }`;
