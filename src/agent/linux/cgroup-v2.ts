import { existsSync, writeFileSync } from 'node:fs';
import { type CgroupLimits, type CgroupMounts, type CgroupTree, controllers, cpuPeriodUs } from './cgroup.ts';
import {
  childCgroups,
  makeCgroup,
  readCgroupFile,
  readCgroupKey,
  readCgroupNumber,
  readCgroupSum,
  readProcesses,
  removeCgroup,
  tryWriting,
  writeOptional,
  writeProcesses,
} from './cgroup-files.ts';

const controlsOf = (path: string, file: string): Set<string> => new Set(readCgroupFile(`${path}/${file}`).split(' ').filter(Boolean));

/**
 * A tree in version 2, where its controllers are to be had.
 * Source: Documentation/admin-guide/cgroup-v2.rst of Linux.
 */
export function openCgroupV2(folder: string, mounts: CgroupMounts, memberships: ReadonlyMap<string, string>): CgroupTree | undefined {
  if (mounts.v2 === undefined) return undefined;
  const parent = parentOf(`${mounts.v2}${memberships.get('') ?? '/'}`.replace(/\/$/, ''));
  const offered = controlsOf(parent, 'cgroup.controllers');
  const wanted = controllers.filter((controller) => offered.has(controller));
  if (wanted.length === 0) return undefined;
  const root = `${parent}/${folder}`;
  try {
    delegate(parent, wanted);
    makeCgroup(root);
    delegate(root, wanted);
  } catch {
    // Not ours to write: version 1 may be, and if not the caller says that limits are missing.
    return undefined;
  }
  const available = new Set(wanted);
  const absent = controllers.filter((controller) => !available.has(controller));

  const limit = (name: string, limits: CgroupLimits) => {
    const path = `${root}/${name}`;
    if (limits.memoryBytes !== undefined && available.has('memory')) {
      writeFileSync(`${path}/memory.max`, String(limits.memoryBytes));
      writeOptional(`${path}/memory.swap.max`, '0');
      writeOptional(`${path}/memory.oom.group`, '1');
    }
    if (limits.pids !== undefined && available.has('pids')) writeFileSync(`${path}/pids.max`, String(limits.pids));
    if (limits.cpus !== undefined && available.has('cpu')) {
      writeFileSync(`${path}/cpu.max`, `${Math.round(limits.cpus * cpuPeriodUs)} ${cpuPeriodUs}`);
    }
    if (limits.cpuWeight !== undefined && available.has('cpu')) writeOptional(`${path}/cpu.weight`, String(limits.cpuWeight));
  };

  return {
    version: 2,
    available,
    missing: absent.length === 0 ? undefined : `the cgroup controllers ${absent.join(', ')} are not delegated to ${parent}`,
    canFreeze: existsSync(`${root}/cgroup.freeze`),
    freeze: (name) => writeOptional(`${root}/${name}/cgroup.freeze`, '1'),
    thaw: (name) => writeOptional(`${root}/${name}/cgroup.freeze`, '0'),
    create(name, limits) {
      makeCgroup(`${root}/${name}`);
      limit(name, limits);
    },
    limit,
    place: (name, pids) => writeProcesses(`${root}/${name}/cgroup.procs`, pids),
    counts: (name) => ({
      oomKills: readCgroupKey(`${root}/${name}/memory.events`, 'oom_kill'),
      pidsRefused: readCgroupKey(`${root}/${name}/pids.events`, 'max'),
      memoryBytes: readCgroupNumber(`${root}/${name}/memory.current`),
    }),
    memory: (name) => {
      const path = name === undefined ? root : `${root}/${name}`;
      return {
        privateBytes: readCgroupSum(`${path}/memory.stat`, ['anon', 'shmem', 'swapcached']),
        swapCachedBytes: readCgroupKey(`${path}/memory.stat`, 'swapcached'),
        swappedBytes: readCgroupNumber(`${path}/memory.swap.current`),
      };
    },
    // What lies in swap already stays there until it is used.
    allowSwap: (name, allowed) => writeOptional(`${root}/${name}/memory.swap.max`, allowed ? 'max' : '0'),
    dropSwapCached: (name) =>
      tryWriting(`${root}/${name}/memory.reclaim`, String(readCgroupKey(`${root}/${name}/memory.stat`, 'swapcached'))),
    processes: (name) => readProcesses(`${root}/${name}/cgroup.procs`),
    names: () => childCgroups(root),
    remove: (name) => removeCgroup(`${root}/${name}`),
    close() {
      for (const name of childCgroups(root)) removeCgroup(`${root}/${name}`);
      removeCgroup(root);
      takeBack(parent, wanted);
    },
  };
}

/** Where the platform's own processes go, so that their cgroup may limit its children. */
const leaf = 'swiftlet-roles';

/** Every process of the platform finds the same place, those too that were moved into the leaf before they looked. */
const parentOf = (own: string): string => (own.endsWith(`/${leaf}`) ? own.slice(0, -leaf.length - 1) : own);

/** Lets a cgroup's children be limited. A cgroup that does so may hold no processes itself: they move into a leaf of it. */
function delegate(path: string, wanted: readonly string[]): void {
  const enabled = controlsOf(path, 'cgroup.subtree_control');
  const missing = wanted.filter((controller) => !enabled.has(controller));
  if (missing.length === 0) return;
  const order = missing.map((controller) => `+${controller}`).join(' ');
  try {
    writeFileSync(`${path}/cgroup.subtree_control`, order);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EBUSY')) throw error;
    makeCgroup(`${path}/${leaf}`);
    writeProcesses(`${path}/${leaf}/cgroup.procs`, readProcesses(`${path}/cgroup.procs`));
    writeFileSync(`${path}/cgroup.subtree_control`, order);
  }
}

/** Undoes `delegate`: the processes that were moved are where they were before. */
function takeBack(path: string, wanted: readonly string[]): void {
  const moved = readProcesses(`${path}/${leaf}/cgroup.procs`);
  if (moved.length === 0) return;
  try {
    writeFileSync(`${path}/cgroup.subtree_control`, wanted.map((controller) => `-${controller}`).join(' '));
    writeProcesses(`${path}/cgroup.procs`, moved);
    removeCgroup(`${path}/${leaf}`);
  } catch {
    // Another platform, or somebody else, has cgroups here that are limited: the last one takes it back.
  }
}
