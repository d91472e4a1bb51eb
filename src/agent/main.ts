/** The agent’s process: everything on this host that starts, holds and ends sandboxes is wired here. */
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type Version, versionIdOf } from '../model/function.ts';
import { formOf } from '../model/artifact-format.ts';
import { agentsFor, partOf, tunnelling } from '../model/fleet.ts';
import { memoryMiB } from '../model/limits.ts';
import { defaultRuntime } from '../model/runtimes.ts';
import { openCallPlaces } from '../role/call-places.ts';
import { agentLabels, agentPlace, buildSocketOf, type RoleConfig, socketOf } from '../role/role-config.ts';
import { clearSocket, type RunningRole, runRole, shareSocket } from '../role/run-role.ts';
import { type CallServer, type Peer, serveCalls } from '../wire/calls.ts';
import { functionKey, type PublishedState } from '../wire/published-state.ts';
import type { Retire, SecretsNotice } from '../wire/secret-calls.ts';
import { type StateSubscriber, subscribeState } from '../wire/state-subscriber.ts';
import { adopt } from './adopt.ts';
import { artifactSource } from './artifact-source.ts';
import { CodeBundles } from './builds/code-bundles.ts';
import type { Builds } from './builds/builds.ts';
import { serveBuilds } from './builds/builds-door.ts';
import { CodeCache, codeKey, type CodeRef } from './code-cache.ts';
import { coldStart } from './cold-start.ts';
import { budgetsDoor } from './budgets-door.ts';
import { announceEnd, door } from './door.ts';
import { drain, settle } from './drain.ts';
import type { Instance } from './instance.ts';
import { LayerFolders, layerRefs, poolBuilt } from './layer-folders.ts';
import { openImages } from './linux/images.ts';
import { keepRights } from './linux/capabilities.ts';
import { Instances } from './instances.ts';
import { openHibernation } from './hibernation.ts';
import { hasSysAdmin, inspectIsolation, type WayOutFound } from './isolation.ts';
import { MemoryBudget } from './memory-budget.ts';
import { agentMetrics } from './metrics.ts';
import { Offers } from './offers.ts';
import { openBudgets } from './open-budgets.ts';
import { openSandboxes } from './open-sandboxes.ts';
import { PlaceSharing } from './place-sharing.ts';
import { PageOuts } from './page-outs.ts';
import { bundleAhead, placeAhead, placeLayersAhead } from './place-ahead.ts';
import { preload } from './preload.ts';
import { waitedBootsPerProcessor } from './pool.ts';
import { Pools } from './pools.ts';
import { Provisioned } from './provisioned.ts';
import { RelayLink } from './relay-link.ts';
import { Replacement } from './replacement.ts';
import { kindOf } from './sandbox/sandbox.ts';
import { SecretBox } from './secret-box.ts';
import { ServedVersions } from './served-versions.ts';
import { limitsDoor } from './limits-door.ts';
import { SharedLimits } from './shared-limits.ts';
import { SlotSharing } from './slot-sharing.ts';
import { Targets } from './targets.ts';
import { TenantShares } from './tenant-shares.ts';
import { Uses } from './uses.ts';
import { watchForks } from './watch-forks.ts';
import { wayOut } from './way-out.ts';

const bytesPerMiB = 1024 * 1024;
const tidyEveryMs = 250;
/** So old at most is what gateways know of this agent where there are several. */
const offerEveryMs = 50;
/** How long a deploy waits for its bundle. */
const bundleWaitMs = 3_000;
/** Of the host's memory. */
const usualBudget = 0.75;
const usualKind = kindOf({ runtime: defaultRuntime, memoryMiB: memoryMiB.default });

async function startAgent(config: RoleConfig, log: Logger): Promise<RunningRole> {
  const { poolSize, bootsAtOnce, maxSandboxes, firstUid, count = 1, index = 0 } = config.agent;
  const place = agentPlace(config, index);
  const labels = agentLabels(config);
  /** What this agent has of what a function, or a tenant, may have at most. */
  const own = (whole: number, version: Version): number =>
    count === 1 ? whole : partOf(whole, agentsFor(version.config, labels), index, functionKey(version.tenant, version.function));
  keepRights();
  const places = openCallPlaces(config, 'agent', log);
  const relay = new RelayLink(socketOf(config.run, 'relay'), index);
  const now = () => performance.now();
  const artifacts = artifactSource(config, places);
  const opened = await openSandboxes(config, relay, now, log);
  const { sandboxes, builds, publish: publishCode, java, traces, network } = opened;
  const code: CodeCache = new CodeCache(
    join(place.data, 'code'),
    artifacts.source,
    now,
    {
      bytes: (config.agent.codeCacheMiB ?? Infinity) * bytesPerMiB,
      inUse: () => {
        // Layers are shared by what starts at any time.
        const shared = served.all.flatMap((version) => layerRefs(version));
        return new Set([...shared, ...[...instances.all].map(({ version }) => version)].map(codeKey));
      },
      evicted: (key) => bundles.forget(key),
      notMade: (why) => log.warn({ why }, 'code stays a folder, since no image could be made of it'),
    },
    openImages(hasSysAdmin()),
  );
  const layers = new LayerFolders(join(place.data, 'layers'), code);
  const bundles: CodeBundles = new CodeBundles({
    publish: publishCode,
    stampOf: ({ config: { runtime } }) => (runtime === 'java' ? java.stamp : ''),
    tell: (version, message) => relay.tell({ instanceId: '', version }, message),
    log,
  });
  const served = new ServedVersions();
  const gateways: { server?: CallServer } = {};
  const targets = new Targets(now);
  const minimum = (version: Version) => Math.max(own(served.minimum(version), version), targets.of(version)?.minimum ?? 0);
  const budgets = openBudgets(config, {
    served,
    instances: () => instances,
    minimum,
    tell: (lacks) => subscriber.tell('lacks', lacks),
    now,
  });
  const quotaMiB = (tenant: string): number | undefined => {
    const whole = served.tenant(tenant)?.quotas.memoryMiB;
    return whole === undefined ? undefined : (budgets?.ofTenant(tenant, whole) ?? whole);
  };
  const isServed = ({ tenant, function: name, number }: Version) => served.find(tenant, name, number) !== undefined;
  const { canFreeze } = sandboxes;
  const hibernation = await openHibernation(config, canFreeze, now, log);
  const uses = new Uses();
  const pageOuts = new PageOuts(log);
  const secrets = new SecretBox();
  const slots: SlotSharing | undefined = (config.gateway.count ?? 1) === 1 ? undefined : new SlotSharing(() => instances.all);
  const instances: Instances = new Instances({
    slots,
    isServed,
    minimum,
    maximum: (version) => Math.min(budgets?.ofFunction(version) ?? version.config.maximum, targets.of(version)?.maximum ?? Infinity),
    lacks: (version, what) => budgets?.lacks(version, what),
    secretStamp: (version) => secrets.stampOf(version),
    memoryQuotaMiB: quotaMiB,
    target: (version) => targets.of(version),
    places: new PlaceSharing({ capacity: maxSandboxes, tenants: () => served.tenants, retire: tellToRetire, now }),
    canFreeze,
    uses,
    pageOuts,
    hibernateMs: (version) => hibernation.afterMs(version.config),
    now,
    log,
    start: (version, order) => metrics.counted(version.config.runtime, coldStart(startMeans, version, order)),
    announceEnd: (instance, reason) => {
      if (gateways.server !== undefined) announceEnd(gateways.server, instance, reason);
      if (instance.state.kind !== 'ending') provisioned.crashed(instance.version, reason);
    },
  });
  const budgetBytes = config.agent.memoryBudgetBytes ?? usualBudgetBytes() / count;
  const budget = new MemoryBudget({
    budgetBytes,
    memory: () => sandboxes.memory(),
    hibernation,
    instances,
    pageOuts,
    uses,
    now,
    log,
  });
  const shares = new TenantShares((tenant) => served.tenant(tenant)?.cpuWeight);
  const provisioned = new Provisioned({ instances, minimum, target: (version) => targets.of(version)?.target ?? 0, now, log });
  const replacement = new Replacement({ instances, isServed, retire: tellToRetire, now, log });
  const found = await adopt({ sandboxes, ...traces, log });
  const { prepare, suits, connect, isWhole, publish } = wayOut(network, relay, log);
  const pools: Pools = new Pools(
    {
      sandboxes,
      areStarting: () => instances.areStarting,
      range: { minimum: poolSize, maximum: Math.max(poolSize, config.agent.poolMaximum ?? poolSize) },
      budgetBytes: (config.agent.poolMemoryMiB ?? Infinity) * bytesPerMiB,
      now,
      bootsAtOnce,
      waitedBootsAtOnce: Math.max(bootsAtOnce, waitedBootsPerProcessor * availableParallelism()),
      prepare,
      suits,
      preload: (sandbox, custom) =>
        preload(
          { placeLayers: (built) => layers.place(built), layersInside: (folder) => sandboxes.layersInside(folder), canFreeze },
          sandbox,
          custom,
        ),
      endOldestIdle: (version) => instances.endOldestIdle(version),
    },
    usualKind,
  );
  for (const { sandbox, instance } of found.instances) {
    // One that lost its way out goes on without it.
    if (isWhole(sandbox)) connect(sandbox, instance.version, instance.id);
    instances.adopt(sandbox, instance);
  }
  // With the rules of those that live on, so that none of them is cut off.
  network?.repair();
  for (const sandbox of found.warm) {
    // A custom pool's may not have imported all that it is to.
    if (sandbox.kind.custom === undefined && isWhole(sandbox)) pools.add(sandbox);
    else sandbox.kill();
  }
  const offers =
    count === 1
      ? undefined
      : new Offers({
          instances,
          capacity: maxSandboxes,
          room: () => sandboxes.room,
          pools: () => pools.warm,
          freeBytes: () => budgetBytes - budget.heldBytes,
          cached: () => code.keys,
          gateways: () => [...(gateways.server?.peers ?? [])].filter(({ role }) => role === 'gateway'),
        });
  const provisionedNow = () => provisioned.status(served.all);
  const metrics = agentMetrics({
    instances,
    memory: () => sandboxes.memory(),
    pools: () => pools,
    provisioned: provisionedNow,
    network: () => network?.counts(),
    proxies: () => network?.proxies(),
  });
  const startMeans = {
    now,
    connect,
    takeSandbox: (version: Version, id: string) => pools.take(version, id),
    placeCode: (version: Version) => {
      const form = formOf(version.config.format, false);
      return version.config.runtime === 'java' ? java.ready().then(() => code.place(version, form, true)) : code.place(version, form, true);
    },
    placeLayers: (version: Version) => layers.place(version),
    layersOf: (version: Version) => {
      const folder = layers.pathOf(version);
      return folder === undefined ? undefined : sandboxes.layersInside(folder);
    },
    placedInMs: (version: Version) => code.placedInMs(version),
    bundleOf: (version: Version) => bundles.find(version),
    secretsFor: (version: Version) => secrets.for(version),
    label: (sandbox: { slot: number }, { tenant, function: name, number }: Version, instanceId: string) =>
      relay.label({ slot: sandbox.slot, tenant, function: name, version: number, instanceId }),
  };

  const actOn = async (state: PublishedState) => {
    const before = new Set(served.all.map(versionIdOf));
    served.take(state);
    const versions = served.all;
    budgets?.take(state, versions);
    // Whoever waited for this state goes on after it.
    publish(versions, index === tunnelling ? served.networks : []);
    pools.serve(versions);
    uses.keepOnly(versions);
    instances.tidy();
    const wanted = new Map<string, CodeRef>(served.standby.map((ref) => [codeKey(ref), ref]));
    for (const version of versions) for (const ref of [version, ...layerRefs(version)]) wanted.set(codeKey(ref), ref);
    await Promise.all([...wanted.values()].map((ref) => placeAhead(code, ref, log)));
    await Promise.all(versions.map((version) => placeLayersAhead(layers, version, log)));
    const used = [...versions, ...[...instances.all].map((instance) => instance.version)];
    const needed = new Set([...wanted.keys(), ...used.flatMap((version) => [version, ...layerRefs(version)].map(codeKey))]);
    await code.keepOnly(needed);
    await layers.keepOnly([...used, ...used.flatMap(poolBuilt)]);
    bundles.keepOnly(needed);
    const bundled = versions.map((version) => ({ version, done: bundleAhead(code, bundles, version) }));
    // A deploy waits for its own bundle, so that its first request has it; for one that takes long nobody waits.
    const own = bundled.flatMap(({ version, done }) => (before.has(versionIdOf(version)) ? [] : [done]));
    await Promise.race([Promise.all(own), pause(bundleWaitMs, undefined, { ref: false })]);
    const filled = versions.map((version) => ({ version, done: provisioned.keep(version) }));
    // A deploy waits for its own provisioned instances, not for those of somebody else.
    await Promise.all(filled.flatMap(({ version, done }) => (before.has(versionIdOf(version)) ? [] : [done])));
    offers?.look();
  };
  const subscriber: StateSubscriber = subscribeState(places.of('state'), 'agent', actOn, undefined, ({ serving }) =>
    agentsFor(serving.config, labels).includes(index),
  );
  const tidy = setInterval(() => {
    instances.tidy();
    budget.look();
    pools.look();
    replacement.look();
    shares.divide(instances.all);
    for (const version of served.provisioned) void provisioned.keep(version);
    for (const { tenant, function: name, number } of targets.all) {
      const version = served.find(tenant, name, number);
      if (version !== undefined) void provisioned.keep(version);
    }
  }, tidyEveryMs);
  const forks = watchForks(instances);

  const stopping = new AbortController();
  const socketPath = socketOf(config.run, 'agent', index);
  clearSocket(socketPath);
  const means = {
    instances,
    greeted: (gateway: Peer) => offers?.greet(gateway),
    withdraw: (id: string) => {
      pools.withdraw(id);
      slots?.withdraw(id);
    },
    spared: (ask: number) => slots?.answered(ask),
    targets,
    provisioned: provisionedNow,
    warmth: ({ tenant, function: name, number }: Pick<Version, 'tenant' | 'function' | 'number'>) => {
      const version = served.find(tenant, name, number);
      return version === undefined ? { ready: 0 } : provisioned.warmth(version);
    },
    takeSecrets: (notice: SecretsNotice) => {
      secrets.take(notice);
      replacement.look();
    },
    secretUse: (tenant: string, name: string) => replacement.use(tenant, name),
    networkCounts: (tenant: string, name: string) => network?.countsOf(tenant, name),
    privateNetwork: async (tenant: string, name: string) => network?.privateNetwork(tenant, name),
    canFreeze,
    memoryPerSwappedByte: () => hibernation.memoryPerSwappedByte(),
    published: (tenant: string, name: string, number: number) => served.wait(tenant, name, number),
    metrics: () => metrics.text(),
    isFollowing: () => subscriber.isFollowing,
    stopping: stopping.signal,
    bundle: (tenant: string, name: string, number: number) => {
      const version = served.find(tenant, name, number);
      return version === undefined ? {} : { state: bundles.state(version), reached: bundles.reached(version) };
    },
    customPool: (tenant: string, name: string) => pools.customStatus(tenant, name),
    builds: () => builds.facts,
    isolation: await inspectIsolation((firstUid ?? 0) + maxSandboxes, wayOutFound(config, network !== undefined)),
  };
  const doors = budgets === undefined ? door(means) : budgetsDoor(budgets.all, door(means));
  const limits = () => new SharedLimits({ now, wallNow: () => Date.now(), gateways: config.gateway.count ?? 1 });
  const server = await serveCalls(places.listen('agent', index), 'agent', slots === undefined ? doors : limitsDoor(limits(), doors));
  gateways.server = server;
  shareSocket(socketPath, config);
  const offering = offers === undefined ? undefined : setInterval(() => offers.look(), offerEveryMs);
  // One of several is enough for builds.
  const buildDoor = index === 0 ? await openBuildDoor(config, builds, log) : undefined;

  return {
    async leave(graceOver) {
      stopping.abort();
      await settle({ instances }, graceOver);
      // Who comes after it mounts what it proves.
      code.close();
    },
    async stop(graceOver) {
      clearInterval(tidy);
      clearInterval(offering);
      stopping.abort();
      await drain({ instances, retire: tellToRetire }, graceOver);
      forks[Symbol.dispose]();
      await Promise.all([server[Symbol.asyncDispose](), builds.close(), bundles.close()]);
      await buildDoor?.[Symbol.asyncDispose]();
      await subscriber[Symbol.asyncDispose]();
      await Promise.all([instances.close(), pools.close(), sandboxes.close()]);
      code.close();
      hibernation[Symbol.dispose]();
      await opened[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
      await artifacts[Symbol.asyncDispose]();
      places[Symbol.dispose]();
    },
  };
}

async function openBuildDoor(config: RoleConfig, builds: Builds, log: Logger): Promise<AsyncDisposable> {
  const socket = buildSocketOf(config.run);
  clearSocket(socket);
  const opened = await serveBuilds(socket, builds, log);
  shareSocket(socket, config);
  return opened;
}

/** @param hasNetwork whether it was made */
function wayOutFound({ agent }: RoleConfig, hasNetwork: boolean): WayOutFound {
  if (agent.network.mode !== 'user') return { mode: 'host' };
  const missing = { detail: 'user-mode networking could not be made', remedy: '`swiftlet doctor`, and the agent’s log, say why' };
  return { mode: 'user', missing: hasNetwork ? undefined : missing };
}

/** Tells the gateway that has an instance to send it no more requests. */
function tellToRetire({ id, state }: Instance): void {
  if (state.kind !== 'leased') return;
  for (const { holder } of state.leases) holder.notify('retire', { instanceId: id } satisfies Retire);
}

/** What a host's sandboxes may take of its memory when nobody says it. */
function usualBudgetBytes(): number {
  const limit = process.constrainedMemory();
  return Math.floor((limit > 0 ? Math.min(limit, totalmem()) : totalmem()) * usualBudget);
}

await runRole(startAgent);
