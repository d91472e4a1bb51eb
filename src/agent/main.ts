/** The agent’s process: everything on this host that starts, holds and ends sandboxes is wired here. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import { memoryMiB } from '../model/limits.ts';
import { defaultRuntime } from '../model/runtimes.ts';
import { type RoleConfig, socketOf, stateSocketOf } from '../role/role-config.ts';
import { clearSocket, type RunningRole, runRole, shareSocket } from '../role/run-role.ts';
import { type CallServer, serveCalls } from '../wire/calls.ts';
import { functionKey, type PublishedState } from '../wire/published-state.ts';
import { subscribeState } from '../wire/state-subscriber.ts';
import { adopt } from './adopt.ts';
import { CodeCache, folderSource } from './code-cache.ts';
import { coldStart } from './cold-start.ts';
import { announceEnd, door } from './door.ts';
import { Instances } from './instances.ts';
import { findBwrap, hasSysAdmin, inspectIsolation } from './isolation.ts';
import { openCgroups } from './linux/open-cgroups.ts';
import { Mounter } from './linux/mount-namespace.ts';
import { compileSeccomp } from './linux/seccomp.ts';
import { agentMetrics } from './metrics.ts';
import { Pools } from './pools.ts';
import { RelayLink } from './relay-link.ts';
import { prepareRuntimes } from './runtimes.ts';
import { writeEtc } from './sandbox/root-folder.ts';
import { kindOf } from './sandbox/sandbox.ts';
import { Launcher } from './sandbox/launcher.ts';
import { Sandboxes } from './sandbox/sandboxes.ts';
import { Slots } from './slots.ts';
import { versionWaiters } from './version-waiters.ts';
import { watchForks } from './watch-forks.ts';

const tidyEveryMs = 250;

async function startAgent(config: RoleConfig, log: Logger): Promise<RunningRole> {
  const { isolation, poolSize, bootsAtOnce, maxSandboxes, firstUid } = config.agent;
  const folder = join(config.run, 'agent');
  const slotsFolder = join(folder, 'slots');
  mkdirSync(slotsFolder, { recursive: true });
  const isolated = isolation === 'bubblewrap';
  const cgroups = isolated ? openCgroups(cgroupFolder(config)) : undefined;
  const mounter = isolated && hasSysAdmin() ? new Mounter() : undefined;
  const relay = new RelayLink(socketOf(config.run, 'relay'));
  const driver = new Launcher(
    {
      isolation,
      privileged: mounter !== undefined,
      cgroupFolder: cgroupFolder(config),
      bwrap: findBwrap() ?? 'bwrap',
      firstUid,
      group: config.group,
      seccomp: isolated ? writeSeccomp(join(folder, 'seccomp.bpf'), log) : undefined,
      etc: writeEtc(join(folder, 'etc')),
    },
    (error) => {
      log.fatal({ err: error }, 'the launcher ended; the agent restarts');
      process.exit(1);
    },
  );
  const codeWay = !isolated
    ? ({ kind: 'none' } as const)
    : mounter === undefined
      ? ({ kind: 'link' } as const)
      : ({ kind: 'mount', mounter } as const);
  const runtimes = await prepareRuntimes(join(config.home, 'agent', 'runtimes'));
  const sandboxes = new Sandboxes({ driver, slots: new Slots(maxSandboxes), slotsFolder, runtimes, cgroups, codeWay, relay, log });
  const code = new CodeCache(join(config.home, 'agent', 'code'), folderSource(join(config.home, 'control', 'blobs')));

  let state: PublishedState | undefined;
  const waiters = versionWaiters(() => state);
  const serving = (tenant: string, name: string) => state?.functions.get(functionKey(tenant, name));
  const now = () => performance.now();
  const gateways: { server?: CallServer } = {};
  const instances: Instances = new Instances({
    serving,
    now,
    log,
    start: (version, order) => coldStart(startMeans, version, order).then(counted('ok'), uncounted),
    announceEnd: (instance, reason) => {
      if (gateways.server !== undefined) announceEnd(gateways.server, instance, reason);
    },
  });
  const usual = kindOf({ runtime: defaultRuntime, memoryMiB: memoryMiB.default });
  const found = await adopt({
    sandboxes,
    slotsFolder,
    cgroups,
    uids: firstUid === undefined ? undefined : { first: firstUid, count: maxSandboxes },
    log,
  });
  const pools: Pools = new Pools({ sandboxes, size: poolSize, bootsAtOnce, endOldestIdle: () => instances.endOldestIdle() }, usual);
  for (const { sandbox, instance } of found.instances) instances.adopt(sandbox, instance);
  for (const sandbox of found.warm) pools.add(sandbox);
  const metrics = agentMetrics(instances, () => pools);
  const counted =
    (outcome: string) =>
    <T>(result: T): T => {
      metrics.starts.inc({ outcome });
      return result;
    };
  const uncounted = (error: unknown): never => {
    metrics.starts.inc({ outcome: error instanceof SwiftletError ? error.code : 'Internal' });
    throw error;
  };
  const startMeans = {
    now,
    takeSandbox: (version: Version) => pools.take(version),
    placeCode: (digest: string) => code.place(digest),
    label: (sandbox: { slot: number }, { tenant, function: name, number }: Version, instanceId: string) =>
      relay.label({ slot: sandbox.slot, tenant, function: name, version: number, instanceId }),
  };

  const subscriber = subscribeState(stateSocketOf(config.run), 'agent', async (next) => {
    state = next;
    const versions = [...next.functions.values()];
    waiters.published();
    pools.serve(versions);
    instances.tidy();
    await Promise.all(
      versions.map((version) =>
        code
          .place(version.digest)
          .catch((error: unknown) => log.error({ err: error, function: version.function }, 'code could not be placed')),
      ),
    );
    await code.keepOnly(new Set([...versions.map((v) => v.digest), ...[...instances.all].map((i) => i.version.digest)]));
    for (const version of versions) if (version.config.minimum > 0) void instances.keepMinimum(version);
  });
  const tidy = setInterval(() => {
    instances.tidy();
    for (const version of state?.functions.values() ?? []) if (version.config.minimum > 0) void instances.keepMinimum(version);
  }, tidyEveryMs);
  const forks = watchForks(instances);

  const socketPath = socketOf(config.run, 'agent');
  clearSocket(socketPath);
  const means = {
    instances,
    published: waiters.wait,
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
      await driver[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
      mounter?.[Symbol.dispose]();
    },
  };
}

/** The name is the run folder’s, so that several platforms on one host keep apart. */
const cgroupFolder = (config: RoleConfig): string => `swiftlet-${config.run.replace(/.*\//, '')}`;

function writeSeccomp(path: string, log: Logger): string | undefined {
  try {
    writeFileSync(path, compileSeccomp(), { mode: 0o600 });
    return path;
  } catch (error) {
    log.warn({ err: error }, 'no system-call filter: libseccomp cannot be used');
    return undefined;
  }
}

await runRole(startAgent);
