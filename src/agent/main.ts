/** The agent’s process: everything on this host that starts, holds and ends sandboxes is wired here. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Version, versionIdOf } from '../model/function.ts';
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
import { Provisioned } from './provisioned.ts';
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
  const minimum = (version: Pick<Version, 'tenant' | 'function' | 'number'>) => served.minimum(version);
  const { canFreeze } = sandboxes;
  const instances: Instances = new Instances({
    isServed: ({ tenant, function: name, number }) => served.find(tenant, name, number) !== undefined,
    minimum,
    canFreeze,
    now,
    log,
    start: (version, order) => metrics.counted(coldStart(startMeans, version, order)),
    announceEnd: (instance, reason) => {
      if (gateways.server !== undefined) announceEnd(gateways.server, instance, reason);
      if (instance.state.kind !== 'ending') provisioned.crashed(instance.version, reason);
    },
  });
  const provisioned = new Provisioned({ instances, minimum, now, log });
  const found = await adopt({ sandboxes, ...traces, log });
  const pools: Pools = new Pools(
    { sandboxes, size: poolSize, bootsAtOnce, endOldestIdle: (version) => instances.endOldestIdle(version) },
    usualKind,
  );
  for (const { sandbox, instance } of found.instances) instances.adopt(sandbox, instance);
  for (const sandbox of found.warm) pools.add(sandbox);
  const provisionedNow = () => provisioned.status(served.all);
  const metrics = agentMetrics(instances, () => pools, provisionedNow);
  const startMeans = {
    now,
    takeSandbox: (version: Version) => pools.take(version),
    placeCode: (digest: string) => code.place(digest),
    placedInMs: (digest: string) => code.placedInMs(digest),
    label: (sandbox: { slot: number }, { tenant, function: name, number }: Version, instanceId: string) =>
      relay.label({ slot: sandbox.slot, tenant, function: name, version: number, instanceId }),
  };

  const actOn = async (state: PublishedState) => {
    const before = new Set(served.all.map(versionIdOf));
    served.take(state);
    const versions = served.all;
    pools.serve(versions);
    instances.tidy();
    const wanted = new Map<string, object>(served.standby.map((digest) => [digest, {}]));
    for (const { digest, tenant, function: name, number } of versions) wanted.set(digest, { tenant, function: name, version: number });
    await Promise.all([...wanted].map(([digest, about]) => placeAhead(code, digest, log.child(about))));
    await code.keepOnly(new Set([...wanted.keys(), ...[...instances.all].map((instance) => instance.version.digest)]));
    const filled = versions.map((version) => ({ version, done: provisioned.keep(version) }));
    // A deploy waits for its own provisioned instances, not for those of somebody else.
    await Promise.all(filled.flatMap(({ version, done }) => (before.has(versionIdOf(version)) ? [] : [done])));
  };
  const subscriber = subscribeState(stateSocketOf(config.run), 'agent', actOn);
  const tidy = setInterval(() => {
    instances.tidy();
    for (const version of served.all) void provisioned.keep(version);
  }, tidyEveryMs);
  const forks = watchForks(instances);

  const socketPath = socketOf(config.run, 'agent');
  clearSocket(socketPath);
  const means = {
    instances,
    provisioned: provisionedNow,
    warmth: ({ tenant, function: name, number }: Pick<Version, 'tenant' | 'function' | 'number'>) => {
      const version = served.find(tenant, name, number);
      return version === undefined ? { ready: 0 } : provisioned.warmth(version);
    },
    canFreeze,
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
