/** What this machine and the configuration make of the sandboxes' way out; and what is taken away again. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { NetworkPolicy } from '../../model/network-policy.ts';
import { agentPlace, type RoleConfig } from '../../role/role-config.ts';
import { NetworkNamespaces } from '../linux/network-namespace.ts';
import { hasOwnNamespace } from '../linux/capabilities.ts';
import { addressText, router4 } from './address-plan.ts';
import { openHostUplink, removeHostUplink } from './host-uplink.ts';
import type { LinesSettings } from './lines.ts';
import { NamePins } from './name-pins.ts';
import { Network } from './network.ts';
import { RefusalLog } from './refusal-log.ts';
import { Resolver } from './resolver.ts';
import { PrivateNetworks } from './private/private-networks.ts';
import { openDoors } from './router.ts';
import { refusalGroup, routerRules } from './router-rules.ts';
import { openUserUplink } from './user/user-uplink.ts';

export interface OpenNetwork extends AsyncDisposable {
  readonly network: Network;
  readonly lines: LinesSettings;
  /** The resolver’s address, as sandboxes see it. */
  readonly nameServer: string;
}

export interface NetworkOrder {
  readonly config: RoleConfig;
  /** The agent’s own, in the run folder. */
  readonly folder: string;
  /** Whether this process may make namespaces and rules. */
  readonly isPrivileged: boolean;
  /** Policies that have rules whoever serves. */
  readonly standing: readonly NetworkPolicy[];
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly log: Logger;
}

/** What is set up of private networks, in the agent’s folder. */
const privateRecord = 'private-networks.json';
/** How many connections the kernel remembers at once. */
const hostPlaces = '/proc/sys/net/netfilter/nf_conntrack_max';
const bindTries = 40;
const bindPauseMs = 50;

/** @returns undefined where there is no way out; the log says why. What an earlier agent left is gone then */
export async function openNetwork(order: NetworkOrder): Promise<OpenNetwork | undefined> {
  const { config, isPrivileged, log } = order;
  if (!isPrivileged && !(config.agent.network.mode === 'user' && hasOwnNamespace())) return undefined;
  const opened = new AsyncDisposableStack();
  // First here, and so the last to be done, whether anything was made or not.
  if (isPrivileged) opened.defer(() => removeNetwork(config, config.agent.index));
  try {
    if (config.agent.isolation === 'bubblewrap') return await wire(order, opened);
  } catch (error) {
    log.error({ err: error }, 'functions have no network; `swiftlet doctor` says what is missing');
  }
  await opened.disposeAsync();
  return undefined;
}

/** Takes away all that an agent may have changed of its host's network; what is not there is no mistake. Root only. @param index which of several */
export function removeNetwork(platform: Pick<RoleConfig, 'run' | 'home'>, index?: number): void {
  const place = agentPlace(platform, index);
  removeHostUplink(place);
  rmSync(join(place.run, privateRecord), { force: true });
}

async function wire(order: NetworkOrder, opened: AsyncDisposableStack): Promise<OpenNetwork> {
  const { config, folder, isPrivileged, standing, now, log } = order;
  const { opened: ranges, nameServers } = config.agent.network;
  const namespaces = opened.use(new NetworkNamespaces());
  const uplink = isPrivileged ? openHostUplink(config, folder, namespaces, opened) : openUserUplink(config, folder, opened);
  const { router } = uplink;
  const doors = opened.use(openDoors(namespaces, router.fd));
  // Nothing gets through before there are rules.
  if (!router.wasThere) {
    doors.rules.run(routerRules({ plan: router.plan, isOwn: router.isOwn, opened: [], policies: [], bound: new Map() }));
  }

  const privately = opened.use(
    new PrivateNetworks({
      namespaces,
      routerFd: router.fd,
      doors,
      kind: uplink.tunnels,
      recordPath: join(folder, privateRecord),
      log,
    }),
  );
  const wired: { resolver?: Resolver } = {};
  const network = opened.use(
    new Network({
      router,
      doors,
      pins: new NamePins(doors.rules, now),
      privately,
      opened: ranges,
      standing,
      hostPlaces: Number(readFileSync(hostPlaces, 'utf8')),
      maxSandboxes: config.agent.maxSandboxes,
      resolve: (line, policy) => wired.resolver?.know(line, policy),
      log,
    }),
  );
  const settings = { plan: router.plan, servers: [...nameServers], ...uplink.resolver };
  wired.resolver = opened.use(
    await onceFree(
      () =>
        new Resolver(namespaces, router.fd, settings, {
          pin: (line, indexes, found) => network.pin(line, indexes, found),
          refused: (line, name, why) => network.nameRefused(line, name, why),
          log,
        }),
    ),
  );
  const groups = [{ fd: router.fd, group: refusalGroup }, ...uplink.hostGroups.map((group) => ({ fd: undefined, group }))];
  opened.use(new RefusalLog(namespaces, groups, (refusal) => network.refused(refusal)));
  return {
    network,
    lines: { plan: router.plan, routerPath: uplink.routerPath },
    nameServer: addressText(router4(router.plan).address),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The resolver of an agent that was killed ends a moment later than it. */
async function onceFree<T>(open: () => T): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return open();
    } catch (error) {
      if (tries === bindTries) throw error;
      await pause(bindPauseMs);
    }
  }
}
