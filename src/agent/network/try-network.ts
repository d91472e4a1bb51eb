/** Whether this machine can give sandboxes a way out: tried in namespaces that are gone afterwards. */
import { accessSync, constants } from 'node:fs';
import { closeFd } from '../linux/libc.ts';
import { Links, loopback } from '../linux/links.ts';
import { NetworkNamespaces } from '../linux/network-namespace.ts';
import { Nftables } from '../linux/nftables.ts';
import { sandboxInterface, uplink } from './address-plan.ts';
import { hostRules } from './host-rules.ts';
import { routerRules } from './router-rules.ts';

export interface Missing {
  readonly detail: string;
  readonly remedy: string;
}

const plan = { id: '00000000', block: 0 };
const forwarding = '/proc/sys/net/ipv4/ip_forward';

/** Takes some 10 ms; root only. @returns what is missing; undefined when nothing is */
export function tryNetwork(): Missing | undefined {
  try {
    accessSync(forwarding, constants.W_OK);
  } catch {
    const remedy = 'run where settings below /proc/sys/net can be written; with Docker: --privileged';
    return { detail: 'this machine cannot be made to forward packets', remedy };
  }
  try {
    tryRouter(hostRules(plan, [], true));
    return undefined;
  } catch (error) {
    const isAbsent = String(error).includes('libnftables');
    const detail = isAbsent ? 'nftables is not installed' : `rules or interfaces cannot be made: ${String(error)}`;
    return { detail, remedy: isAbsent ? 'apt-get install -y nftables' : 'use a kernel with nftables, veth and connection tracking' };
  }
}

/** In namespaces that are gone afterwards. @param rules more than the router’s @throws Error, or SystemCallError */
export function tryRouter(more = ''): void {
  using namespaces = new NetworkNamespaces();
  const open: number[] = [];
  try {
    const router = namespaces.create(() => {
      using rules = new Nftables();
      rules.run(routerRules({ plan, opened: [], policies: [], bound: new Map() }));
      if (more !== '') rules.run(more);
    });
    open.push(router);
    const sandbox = namespaces.create(() => {
      using own = new Links();
      own.raise(loopback);
      own.addCable(sandboxInterface, { ...uplink, namespaceFd: router });
    });
    open.push(sandbox);
  } finally {
    for (const fd of open) closeFd(fd);
  }
}
