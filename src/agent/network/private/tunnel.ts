/** A tunnel between this host and a proxy; and what makes one. A kind of tunnel is a file beside `vxlan`. */
import type { PrivateNetwork } from '../../../model/private-network.ts';
import { tunnelsOf } from '../../../wire/tunnel.ts';

export interface Tunnel {
  /** Its number; packets with this mark go through it. */
  readonly id: number;
  /** The proxy’s host. */
  readonly address: string;
}

/** The two of a network, in the order of its proxies. */
export function tunnelPair({ number, proxies: [one, other] }: PrivateNetwork): readonly [Tunnel, Tunnel] {
  const [first, second] = tunnelsOf(number);
  return [
    { id: first, address: one },
    { id: second, address: other },
  ];
}

/** There are no tunnels here, whatever is tried. */
export class TunnelsUnavailable extends Error {
  override readonly name = 'TunnelsUnavailable';
  readonly remedy: string;

  constructor(why: string, remedy: string) {
    super(why);
    this.remedy = remedy;
  }
}

/** Makes tunnels that end in the router; what is around their packets goes out of this host’s own namespace. */
export interface TunnelKind {
  /** Makes one, or completes what is there of it. @param ranges the network’s @throws SystemCallError, or TunnelsUnavailable */
  make(tunnel: Tunnel, ranges: readonly string[]): void;
  /** Takes away what there is of one. @throws SystemCallError */
  remove(id: number): void;
  /** Has this host take packets of these tunnels from their proxies only. @throws Error with what nft says */
  guard(tunnels: readonly Tunnel[]): void;
  /** The ids of those that are there, whole or not. @throws SystemCallError */
  list(): readonly number[];
}
