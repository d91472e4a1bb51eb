/**
 * The router: a network namespace between the sandboxes and the host. All cables, rules and counts are in it, so that the host sees one
 * interface, two routes and one table, and everything else goes with it.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { closeFd } from '../linux/libc.ts';
import { Links, loopback } from '../linux/links.ts';
import { NetlinkSocket, protocol } from '../linux/netlink-socket.ts';
import { type NetworkNamespaces, openKept, release } from '../linux/network-namespace.ts';
import { Nftables } from '../linux/nftables.ts';
import {
  type AddressPlan,
  blocks,
  everything4,
  everything6,
  hostInterface,
  pool4,
  pool6,
  rangeText,
  router4,
  router6,
  uplink,
} from './address-plan.ts';
import { closedConnectionSeconds } from '../../model/limits.ts';
import { hasIpv6 } from './forwarding.ts';
import { hostRemoval } from './host-rules.ts';

export interface Router {
  readonly plan: AddressPlan;
  /** The namespace; the router’s owner closes it. */
  readonly fd: number;
  /** Whether it was there: sandboxes may hang on it. */
  readonly wasThere: boolean;
  /** Whether the platform’s own processes are in it: then what the resolver asks goes out of it, too. */
  readonly isOwn: boolean;
}

const namespaceName = 'router.ns';
const recordName = 'router.json';
const recordSchema = z.object({
  block: z
    .int()
    .min(0)
    .max(blocks - 1),
});

export const routerPath = (folder: string): string => join(folder, namespaceName);

/** Of a namespace that forwards between sandboxes and the host, and tells every refusal at once. */
export const routerSettings: Readonly<Record<string, string>> = {
  'ipv4/ip_forward': '1',
  'ipv4/conf/all/rp_filter': '1',
  'ipv4/conf/default/rp_filter': '1',
  'ipv4/conf/all/send_redirects': '0',
  'ipv4/conf/default/send_redirects': '0',
  'ipv4/icmp_ratelimit': '0',
  'ipv6/conf/all/forwarding': '1',
  'ipv6/conf/default/addr_gen_mode': '1',
  'ipv6/icmp/ratelimit': '0',
  // What was neither closed nor used for so long is judged again.
  'netfilter/nf_conntrack_tcp_timeout_established': '3600',
  'netfilter/nf_conntrack_tcp_timeout_time_wait': String(closedConnectionSeconds),
  'netfilter/nf_conntrack_tcp_timeout_close': String(closedConnectionSeconds),
};

/**
 * Finds the router that an earlier agent left, or makes one.
 * @param folder of the agent’s, in the run folder
 * @throws SystemCallError or Error without the rights, or when all blocks of addresses are taken; nothing is left then
 */
export function openRouter(namespaces: NetworkNamespaces, folder: string, id: string): Router {
  const found = findRouter(folder, id);
  if (found !== undefined) return found;
  removeRouter(folder, id);
  try {
    return makeRouter(namespaces, folder, id);
  } catch (error) {
    removeRouter(folder, id);
    throw error;
  }
}

function findRouter(folder: string, id: string): Router | undefined {
  try {
    const { block } = recordSchema.parse(JSON.parse(readFileSync(join(folder, recordName), 'utf8')));
    using host = new Links();
    if (!host.names().has(hostInterface({ id }))) return undefined;
    return { plan: { block, id }, fd: openKept(routerPath(folder)), wasThere: true, isOwn: false };
  } catch {
    return undefined;
  }
}

function makeRouter(namespaces: NetworkNamespaces, folder: string, id: string): Router {
  using host = new Links();
  const plan = { id, block: freeBlock(host.routes(), id) };
  const fd = namespaces.create(() => {
    using own = new Links();
    own.raise(loopback);
    applySettings(routerSettings);
  });
  try {
    namespaces.keep(fd, routerPath(folder));
    host.addCable({ name: hostInterface(plan), index: 0 }, { ...uplink, namespaceFd: fd });
    namespaces.inside(fd, () => {
      using own = new Links();
      own.raise(uplink.index);
      lead(own, plan);
    });
    const index = host.names().get(hostInterface(plan)) ?? 0;
    host.addRoute(index, pool4(plan));
    if (hasIpv6()) host.addRoute(index, pool6(plan));
    writeFileSync(join(folder, recordName), JSON.stringify({ block: plan.block }));
    return { plan, fd, wasThere: false, isOwn: false };
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

function lead(own: Links, plan: AddressPlan): void {
  own.addAddress(loopback, router4(plan));
  own.addRoute(uplink.index, everything4, router4(plan).address);
  if (!hasIpv6()) return;
  own.addAddress(loopback, router6(plan));
  own.addRoute(uplink.index, everything6, router6(plan).address);
}

/** Writes settings of this thread’s network namespace; those of a protocol that the kernel has not are left out. */
export function applySettings(wanted: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(wanted)) {
    const path = join('/proc/sys/net', name);
    if (existsSync(path)) writeFileSync(path, value);
  }
}

/** The first block that nobody on this host routes to, from one that the platform’s id says. @throws Error when there is none */
function freeBlock(routes: ReadonlySet<string>, id: string): number {
  const first = Number.parseInt(id, 16) % blocks;
  for (let step = 0; step < blocks; step++) {
    const block = (first + step) % blocks;
    if (!routes.has(rangeText(pool4({ id, block })))) return block;
  }
  throw new Error(`all ${blocks} blocks of 198.18.0.0/15 are routed on this host already`);
}

/** Takes away all that there may be of a router, whoever made it; what is not there is no mistake. */
export function removeRouter(folder: string, id: string): void {
  ignoring(() => {
    using host = new Links();
    if (host.names().has(hostInterface({ id }))) host.remove(hostInterface({ id }));
  });
  ignoring(() => {
    using rules = new Nftables();
    rules.run(hostRemoval({ id, block: 0 }));
  });
  if (existsSync(routerPath(folder))) ignoring(() => release(routerPath(folder)));
  rmSync(routerPath(folder), { force: true });
  rmSync(join(folder, recordName), { force: true });
}

/** Without the rights, or without nftables, there is nothing to be removed either. */
function ignoring(remove: () => void): void {
  try {
    remove();
  } catch {
    // What stands in the way of this stood in the way of its making.
  }
}

/** What changes the router’s rules, fast and in full. */
export interface RouterDoors extends Disposable {
  readonly rules: Nftables;
  readonly elements: NetlinkSocket;
}

export function openDoors(namespaces: NetworkNamespaces, fd: number): RouterDoors {
  return namespaces.inside(fd, () => {
    const rules = new Nftables();
    const elements = new NetlinkSocket(protocol.netfilter);
    return {
      rules,
      elements,
      [Symbol.dispose]() {
        rules[Symbol.dispose]();
        elements[Symbol.dispose]();
      },
    };
  });
}
