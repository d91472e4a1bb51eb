/** The way out of a platform without root's rights: pasta, which the supervisor has started beside the router; see user-rules. */
import { agentPlace, type RoleConfig } from '../../../role/role-config.ts';
import { closeFd } from '../../linux/libc.ts';
import { Nftables } from '../../linux/nftables.ts';
import type { TunnelKind } from '../private/tunnel.ts';
import { TunnelsUnavailable } from '../private/tunnel.ts';
import type { Uplink } from '../uplink.ts';
import { HostAddressWatch } from './host-addresses.ts';
import { openOwnRouter, ownRouterPath } from './own-router.ts';
import { hostElements, userRules } from './user-rules.ts';

/** @param folder the agent’s @throws SystemCallError or Error */
export function openUserUplink(config: RoleConfig, folder: string, opened: AsyncDisposableStack): Uplink {
  const router = openOwnRouter(folder, agentPlace(config, config.agent.index).id);
  opened.defer(() => closeFd(router.fd));
  const rules = opened.use(new Nftables());
  // The supervisor is in the host’s namespace.
  const watch = opened.use(new HostAddressWatch(process.ppid, (addresses) => rules.run(hostElements(addresses))));
  rules.run(userRules(router.plan, watch.addresses));
  return { router, routerPath: ownRouterPath, hostGroups: [], tunnels: noTunnels, resolver: { isApart: true } };
}

/** Packets of tunnels are the host’s, and only root may have it take them. */
const noTunnels: TunnelKind = {
  make() {
    throw new TunnelsUnavailable('private networks need root, and this platform has user-mode networking', 'start Swiftlet as root');
  },
  remove: () => undefined,
  guard: () => undefined,
  list: () => [],
};
