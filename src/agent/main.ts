/** The agent’s process: everything on this host that starts, holds and ends sandboxes is wired here. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Version } from '../model/function.ts';
import { memoryMiB } from '../model/limits.ts';
import { defaultRuntime } from '../model/runtimes.ts';
import { type RoleConfig, socketOf, stateSocketOf } from '../role/role-config.ts';
import { clearSocket, type RunningRole, runRole, shareSocket } from '../role/run-role.ts';
import { type CallServer, serveCalls } from '../wire/calls.ts';
import type { PublishedState } from '../wire/published-state.ts';
import { subscribeState } from '../wire/state-subscriber.ts';
import { adopt } from './adopt.ts';
import { CodeCache, folderSource } from './code-cache.ts';
import { coldStart } from './cold-start.ts';
import { announceEnd, door } from './door.ts';
import { Instances } from './instances.ts';
import { inspectIsolation } from './isolation.ts';
import { agentMetrics } from './metrics.ts';
import { openSandboxes } from './open-sandboxes.ts';
import { Pools } from './pools.ts';
import { RelayLink } from './relay-link.ts';
import { kindOf } from './sandbox/sandbox.ts';
import { ServedVersions } from './served-versions.ts';
import { watchForks } from './watch-forks.ts';

const tidyEveryMs = 250;
const usualKind = kindOf({ runtime: defaultRuntime, memoryMiB: memoryMiB.default });

async function startAgent(config: RoleConfig, log: Logger): Promise<RunningRole> {
  const { poolSize, bootsAtOnce, maxSandboxes, firstUid } = config.agent;
  const relay = new RelayLink(socketOf(config.run, 'relay'));
  const now = () => performance.now();
  const opened = await openSandboxes(config, relay, now, log);
  const { sandboxes, traces } = opened;
  const code = new CodeCache(join(config.home, 'agent', 'code'), folderSource(join(config.home, 'control', 'blobs')), now);
  const served = new ServedVersions();
  const gateways: { server?: CallServer } = {};
  const instances: Instances = new Instances({
    isServed: ({ tenant, function: name, number }) => served.find(tenant, name, number) !== undefined,
    minimum: (version) => served.minimum(version),
    now,
    log,
    start: (version, order) => metrics.counted(coldStart(startMeans, version, order)),
    announceEnd: (instance, reason) => {
      if (gateways.server !== undefined) announceEnd(gateways.server, instance, reason);
    },
  });
  const found = await adopt({ sandboxes, ...traces, log });
  const pools: Pools = new Pools(
    { sandboxes, size: poolSize, bootsAtOnce, endOldestIdle: (version) => instances.endOldestIdle(version) },
    usualKind,
  );
  for (const { sandbox, instance } of found.instances) instances.adopt(sandbox, instance);
  for (const sandbox of found.warm) pools.add(sandbox);
  const metrics = agentMetrics(instances, () => pools);
  const startMeans = {
    now,
    takeSandbox: (version: Version) => pools.take(version),
    placeCode: (digest: string) => code.place(digest),
    placedInMs: (digest: string) => code.placedInMs(digest),
    label: (sandbox: { slot: number }, { tenant, function: name, number }: Version, instanceId: string) =>
      relay.label({ slot: sandbox.slot, tenant, function: name, version: number, instanceId }),
  };

  const keepMinima = () => {
    for (const version of served.all) if (served.minimum(version) > 0) void instances.keepMinimum(version);
  };
  const actOn = async (state: PublishedState) => {
    served.take(state);
    const versions = served.all;
    pools.serve(versions);
    instances.tidy();
    const digests = [...versions.map((version) => version.digest), ...served.standby];
    await Promise.all([...new Set(digests)].map((digest) => placeAhead(code, digest, log)));
    await code.keepOnly(new Set([...digests, ...[...instances.all].map((instance) => instance.version.digest)]));
    keepMinima();
  };
  const subscriber = subscribeState(stateSocketOf(config.run), 'agent', actOn);
  const tidy = setInterval(() => {
    instances.tidy();
    keepMinima();
  }, tidyEveryMs);
  const forks = watchForks(instances);

  const socketPath = socketOf(config.run, 'agent');
  clearSocket(socketPath);
  const means = {
    instances,
    published: (tenant: string, name: string, number: number) => served.wait(tenant, name, number),
    metrics: () => metrics.text(),
    isFollowing: () => subscriber.isFollowing,
    isolation: await inspectIsolation((firstUid ?? 0) + maxSandboxes),
  };
  const server = await serveCalls(socketPath, 'agent', door(means));
  gateways.server = server;
  shareSocket(socketPath, config);

  return {
    async stop() {
      clearInterval(tidy);
      forks[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
      await subscriber[Symbol.asyncDispose]();
      await Promise.all([instances.close(), pools.close(), sandboxes.close()]);
      await opened[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

/** Unpacks code before anybody asks for it. What cannot be is tried again when somebody does. */
async function placeAhead(code: CodeCache, digest: string, log: Logger): Promise<void> {
  try {
    await code.place(digest);
  } catch (error) {
    log.error({ err: error, digest }, 'code could not be placed');
  }
}

await runRole(startAgent);
