/** The router's cable to the host, and what the host is told about it. Root only. */
import { dirname, join } from 'node:path';
import { type AgentPlace, agentPlace, type RoleConfig } from '../../role/role-config.ts';
import { closeFd } from '../linux/libc.ts';
import type { NetworkNamespaces } from '../linux/network-namespace.ts';
import { Nftables } from '../linux/nftables.ts';
import { forward, release } from './forwarding.ts';
import { hostRefusalGroup, hostRules, hostTable } from './host-rules.ts';
import { RouterVxlan } from './private/vxlan.ts';
import { openRouter, removeRouter, routerPath } from './router.ts';
import type { Uplink } from './uplink.ts';

/** @param folder the agent’s @throws SystemCallError or Error; what `removeHostUplink` removes may be left then */
export function openHostUplink(config: RoleConfig, folder: string, namespaces: NetworkNamespaces, opened: AsyncDisposableStack): Uplink {
  const { id } = agentPlace(config, config.agent.index);
  const router = openRouter(namespaces, folder, id);
  opened.defer(() => closeFd(router.fd));
  const { isOurs } = forward(forwardingFolder(config.run), id);
  using host = new Nftables();
  host.run(hostRules(router.plan, config.agent.network.opened, isOurs));
  return {
    router,
    routerPath: routerPath(folder),
    hostGroups: [hostRefusalGroup(router.plan)],
    tunnels: new RouterVxlan(namespaces, router.fd, hostTable(router.plan)),
    resolver: resolverUser(config),
  };
}

/** Takes away all that an agent may have changed of its host's network; what is not there is no mistake. */
export function removeHostUplink({ run, id, platform }: AgentPlace): void {
  removeRouter(run, id);
  release(forwardingFolder(platform), id);
}

/** Shared by all platforms of a host. */
const forwardingFolder = (run: string): string => join(dirname(run), 'forwarding');

/** Nobody else’s: neither a role’s, nor a sandbox’s, nor that of a trial sandbox. */
const resolverUser = ({ agent: { firstUid, maxSandboxes } }: RoleConfig): { readonly uid?: number } =>
  firstUid === undefined ? {} : { uid: firstUid + maxSandboxes + 1 };
