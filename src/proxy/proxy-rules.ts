/** What a proxy lets through: only what comes out of its tunnel, to where its host has a way, as from its host itself. Pure: text in, text out. */
import { untracked } from '../agent/network/host-rules.ts';
import { isForeign } from '../agent/network/private/tunnel-guard.ts';
import { probePort, sandboxAddresses, tunnelEnds, tunnelInterface, tunnelInterfaces, tunnelMtu } from '../wire/tunnel.ts';

export interface ProxyOrder {
  readonly tunnel: number;
  /** The platform’s host. */
  readonly platform: string;
  /** Open at once, at most. */
  readonly connections: number;
}

/** What is counted, in bytes or packets. */
export const counters = ['sent', 'received', 'opened', 'refused'] as const;

export const proxyTable = (tunnel: number): string => `swiftlet_proxy_${tunnel}`;

const headerBytes = 40;
/** Tells connections of several tunnels with the same addresses apart; 16 bits. */
const zoneOf = (tunnel: number): number => (tunnel % 65_535) + 1;

/** The whole table, as one transaction. @param isOnlyRouter nothing else wanted this host to forward: then it still does so for nobody else */
export function proxyRules({ tunnel, platform, connections }: ProxyOrder, isOnlyRouter: boolean): string {
  const name = proxyTable(tunnel);
  const door = tunnelInterface(tunnel).name;
  return `
table inet ${name}
delete table inet ${name}
table inet ${name} {
  ${counters.map((counter) => `counter ${counter} { }`).join('\n  ')}
  set open_now { typeof meta mark; size 16; flags dynamic; }
  ${untracked}
  chain separate {
    type filter hook prerouting priority raw; policy accept;
    iifname "${door}" ct original zone set ${zoneOf(tunnel)}
  }
  chain steering {
    type filter hook prerouting priority mangle; policy accept;
    iifname "${door}" meta mark set ${tunnel} ct mark set ${tunnel}
    iifname != "${door}" ct mark ${tunnel} meta mark set ${tunnel}
  }
  chain input {
    type filter hook input priority filter - 5; policy accept;
    ${isForeign({ id: tunnel, address: platform })} drop
    iifname "${door}" ip daddr ${tunnelEnds.proxy.address} udp dport ${probePort} accept
    iifname "${door}" counter name refused reject with icmpx admin-prohibited
  }
  chain forward {
    type filter hook forward priority filter - 5; policy accept;
    iifname "${door}" goto outward
    oifname "${door}" goto inward
    ${isOnlyRouter ? `iifname != "${tunnelInterfaces}*" oifname != "${tunnelInterfaces}*" drop` : ''}
  }
  chain outward {
    ip saddr != ${sandboxAddresses} drop
    oifname "${tunnelInterfaces}*" goto refuse
    counter name sent
    ct state established,related accept
    ct state invalid drop
    ct state new tcp flags & (fin | syn | rst | ack) != syn reject with tcp reset
    add @open_now { meta mark ct count over ${connections} } goto refuse
    counter name opened
    tcp flags syn tcp option maxseg size set ${tunnelMtu - headerBytes}
    accept
  }
  chain inward {
    ct mark != ${tunnel} drop
    counter name received
    tcp flags syn tcp option maxseg size set ${tunnelMtu - headerBytes}
    ct state established,related accept
    drop
  }
  chain refuse {
    counter name refused
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ct mark ${tunnel} oifname != "${door}" masquerade
  }
}`;
}

export const proxyRemoval = (tunnel: number): string => `table inet ${proxyTable(tunnel)}\ndelete table inet ${proxyTable(tunnel)}`;
