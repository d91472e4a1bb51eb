/** Tunnels of the kernel's own (VXLAN, RFC 7348): an interface, a neighbour, a table of routes and a rule that leads to it. */
import { SystemCallError } from '../../linux/libc.ts';
import { family, Links, type Range } from '../../linux/links.ts';
import type { NetworkNamespaces } from '../../linux/network-namespace.ts';
import { Nftables } from '../../linux/nftables.ts';
import { parseRange } from '../../../model/network-target.ts';
import { sandboxAddresses, tunnelEnds, tunnelInterface, tunnelInterfaces, tunnelMtu, tunnelPort } from '../../../wire/tunnel.ts';
import { addressBytes } from '../address-plan.ts';
import { applySettings } from '../router.ts';
import { guardRules } from './tunnel-guard.ts';
import type { Tunnel, TunnelKind } from './tunnel.ts';

/** Before the main table, and after nothing that an administrator usually has. */
const rulePriority = 14_789;
const noSuchThing: ReadonlySet<number> = new Set([2, 3, 19]);
const existsAlready = 17;
const looseReversePath = '2';

const hardwareBytes = (address: string): Buffer => Buffer.from(address.replaceAll(':', ''), 'hex');

function ipv4Range(text: string): Range {
  const { address, prefix } = parseRange(text);
  return { family: family.ipv4, address: addressBytes(address), prefix };
}

/** The platform's end, in the router. */
export class RouterVxlan implements TunnelKind {
  readonly #namespaces: NetworkNamespaces;
  readonly #routerFd: number;
  readonly #hostTable: string;

  /** @param hostTable the platform’s table on the host, which has the chain for tunnels */
  constructor(namespaces: NetworkNamespaces, routerFd: number, hostTable: string) {
    this.#namespaces = namespaces;
    this.#routerFd = routerFd;
    this.#hostTable = hostTable;
  }

  make(tunnel: Tunnel, ranges: readonly string[]): void {
    if (!this.list().includes(tunnel.id)) {
      using host = new Links();
      host.addVxlan(vxlanEnd(tunnel, tunnelEnds.platform.hardware), this.#routerFd);
    }
    this.#inside((router) => {
      // Answers come from addresses that the router itself would look for elsewhere.
      applySettings({ [`ipv4/conf/${tunnelInterface(tunnel.id).name}/rp_filter`]: looseReversePath });
      lead(router, tunnel.id, 'platform', ranges);
    });
  }

  remove(id: number): void {
    this.#inside((router) => removeEnd(router, id));
  }

  guard(tunnels: readonly Tunnel[]): void {
    using host = new Nftables();
    host.run(guardRules(this.#hostTable, tunnels));
  }

  list(): readonly number[] {
    return this.#inside(tunnelsAmong);
  }

  #inside<T>(act: (router: Links) => T): T {
    return this.#namespaces.inside(this.#routerFd, () => {
      using router = new Links();
      return act(router);
    });
  }
}

/** The proxy's end, on its host. @throws SystemCallError when there is such a tunnel already, or without the rights */
export function makeProxyEnd(links: Links, tunnel: Tunnel): void {
  links.addVxlan(vxlanEnd(tunnel, tunnelEnds.proxy.hardware));
  // Whether a packet comes the right way is judged by its mark's table.
  applySettings({ [`ipv4/conf/${tunnelInterface(tunnel.id).name}/src_valid_mark`]: '1' });
  lead(links, tunnel.id, 'proxy', [sandboxAddresses]);
}

/** Takes away an end and what leads to it; what is not there is no mistake. */
export function removeEnd(links: Links, id: number): void {
  unless(noSuchThing, () => links.remove(tunnelInterface(id).name));
  unless(noSuchThing, () => links.removeMarkRule(id, rulePriority));
}

const tunnelName = new RegExp(`^${tunnelInterfaces}(\\d+)$`);
const tunnelsAmong = (links: Links): number[] =>
  [...links.names().keys()].flatMap((name) => {
    const id = tunnelName.exec(name)?.[1];
    return id === undefined ? [] : [Number(id)];
  });

const vxlanEnd = ({ id, address }: Tunnel, hardware: string) => ({
  ...tunnelInterface(id),
  hardware: hardwareBytes(hardware),
  mtu: tunnelMtu,
  id,
  remote: addressBytes(address),
  port: tunnelPort,
});

/** Gives an end its address, and leads what has the tunnel's mark to the other end. */
function lead(links: Links, id: number, own: keyof typeof tunnelEnds, ranges: readonly string[]): void {
  const { index } = tunnelInterface(id);
  const peer = tunnelEnds[own === 'platform' ? 'proxy' : 'platform'];
  const gateway = addressBytes(peer.address);
  unless(new Set([existsAlready]), () =>
    links.addAddress(index, { family: family.ipv4, address: addressBytes(tunnelEnds[own].address), prefix: 32 }),
  );
  links.setNeighbour(index, gateway, hardwareBytes(peer.hardware));
  links.setTableRoute({ index, to: { family: family.ipv4, address: gateway, prefix: 32 }, table: id });
  for (const range of ranges) links.setTableRoute({ index, to: ipv4Range(range), gateway, table: id });
  unless(new Set([existsAlready]), () => links.addMarkRule(id, rulePriority));
}

function unless(errnos: ReadonlySet<number>, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof SystemCallError && errnos.has(error.errno))) throw error;
  }
}
