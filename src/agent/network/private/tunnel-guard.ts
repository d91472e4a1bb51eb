/** Who may send a tunnel's packets, as rules of nftables. Pure: text out. */
import { tunnelPort } from '../../../wire/tunnel.ts';
import { tunnelsChain } from '../host-rules.ts';
import type { Tunnel } from './tunnel.ts';

/** Where VXLAN has its number, behind the header of UDP. */
const numberInPacket = '@th,96,24';

/** A rule’s part that is true of a tunnel’s packets that come from somewhere else than its far end. */
export const isForeign = ({ id, address }: Tunnel): string => `udp dport ${tunnelPort} ${numberInPacket} ${id} ip saddr != ${address}`;

/** What the chain for tunnels is to say, in place of what it said. Pure. */
export function guardRules(table: string, tunnels: readonly Tunnel[]): string {
  const chain = `inet ${table} ${tunnelsChain}`;
  return [`flush chain ${chain}`, ...tunnels.map((tunnel) => `add rule ${chain} ${isForeign(tunnel)} drop`)].join('\n');
}
