/** The table on the host: what the router's packets may do here. Pure: text in, text out. */
import { closedConnectionSeconds } from '../../model/limits.ts';
import { tunnelPort } from '../../wire/tunnel.ts';
import { type AddressPlan, hostInterface, hostInterfaces, pool4, pool6, rangeText } from './address-plan.ts';
import type { Reason } from './refusal.ts';

const own: Reason = 'host';
/** Told here, and not in the router: only the host itself knows which addresses are its own. */
export const hostRefusalGroup = ({ id }: Pick<AddressPlan, 'id'>): number => 20_000 + (Number.parseInt(id, 16) % 40_000);

/** Who may send packets of tunnels to private networks. */
export const tunnelsChain = 'tunnels';

/** Several platforms on one host have a table each. */
export const hostTable = ({ id }: Pick<AddressPlan, 'id'>): string => `swiftlet_${id}`;

/**
 * The whole table, as one transaction. Its chains come before other programs’ filters and end nothing but what goes to or from sandboxes.
 * @param opened ranges that the operator has opened although they are closed
 * @param isOnlyRouter nothing else wanted this host to forward: then it still forwards for nobody but sandboxes
 */
export function hostRules(plan: AddressPlan, opened: readonly string[], isOnlyRouter: boolean): string {
  const [name, door] = [hostTable(plan), hostInterface(plan)];
  const open = opened.map((range) => `iifname "${door}" ${range.includes(':') ? 'ip6' : 'ip'} daddr ${range} accept`);
  return `
table inet ${name}
delete table inet ${name}
table inet ${name} {
  chain ${tunnelsChain} {
  }
  ${([4, 6] as const).map(forgettingOf).join('\n  ')}
  chain arriving {
    type filter hook prerouting priority filter - 5; policy accept;
    iifname "${door}" meta nfproto ipv4 meta l4proto tcp ct state new ct timeout set "closed4"
    iifname "${door}" meta nfproto ipv6 meta l4proto tcp ct state new ct timeout set "closed6"
  }
  ${untracked}
  chain input {
    type filter hook input priority filter - 5; policy accept;
    udp dport ${tunnelPort} jump ${tunnelsChain}
    ${open.join('\n    ')}
    iifname "${door}" limit rate 100/second burst 100 packets log prefix "${own}" group ${hostRefusalGroup(plan)} snaplen 64
    iifname "${door}" meta l4proto tcp reject with tcp reset
    iifname "${door}" reject with icmpx admin-prohibited
  }
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    oifname "${door}" ct state established,related accept
    oifname "${door}" drop
    iifname "${door}" oifname "${hostInterfaces}*" reject with icmpx admin-prohibited
    ${isOnlyRouter ? `iifname != "${hostInterfaces}*" oifname != "${hostInterfaces}*" drop` : ''}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat + 5; policy accept;
    ip saddr ${rangeText(pool4(plan))} oifname != "${door}" masquerade
    ip6 saddr ${rangeText(pool6(plan))} oifname != "${door}" masquerade
  }
}`;
}

/** Without it the host would remember each connection that a sandbox has closed for two minutes: a few sandboxes could fill its table. */
const forgettingOf = (family: 4 | 6): string =>
  `ct timeout closed${family} {
    protocol tcp
    l3proto ${family === 4 ? 'ip' : 'ip6'}
    policy = { time_wait: ${closedConnectionSeconds}, close: ${closedConnectionSeconds} }
  }`;

/** Packets around others’: what is inside is tracked, and each looked up twice is slower. For both ends of tunnels. */
export const untracked = `chain outer_in {
    type filter hook prerouting priority raw; policy accept;
    udp dport ${tunnelPort} notrack
  }
  chain outer_out {
    type filter hook output priority raw; policy accept;
    udp dport ${tunnelPort} notrack
  }`;

export const hostRemoval = (plan: AddressPlan): string => `table inet ${hostTable(plan)}\ndelete table inet ${hostTable(plan)}`;
