import { existsSync, writeFileSync } from 'node:fs';
import { type CgroupLimits, type CgroupMounts, type CgroupTree, controllers, cpuPeriodUs } from './cgroup.ts';
import {
  childCgroups,
  makeCgroup,
  readCgroupKey,
  readCgroupNumber,
  readCgroupSum,
  readProcesses,
  removeCgroup,
  tryWriting,
  writeOptional,
  writeProcesses,
} from './cgroup-files.ts';

/** Version 1 counts in shares: 1,024 are version 2's weight of 100. */
const sharesPerWeight = 10.24;

/** Where a sandbox has a place of its own: the controllers of its limits, and the one that stops it. */
const hierarchies = [...controllers, 'freezer'] as const;
type Hierarchy = (typeof hierarchies)[number];

/**
 * A tree in version 1: the same names below each controller's own mount.
 * Source: Documentation/admin-guide/cgroup-v1 of Linux.
 */
export function openCgroupV1(folder: string, mounts: CgroupMounts, memberships: ReadonlyMap<string, string>): CgroupTree | undefined {
  const roots = new Map<Hierarchy, string>();
  for (const controller of hierarchies) {
    const mount = mounts.v1.get(controller);
    if (mount === undefined) continue;
    const own = `${mount}${memberships.get(controller) ?? '/'}`;
    // Inside a container the membership may name a path that only the host has.
    const parent = existsSync(own) ? own.replace(/\/$/, '') : mount;
    try {
      makeCgroup(`${parent}/${folder}`);
      roots.set(controller, `${parent}/${folder}`);
    } catch {
      // This controller's mount is read-only or another user's: it is missing, and said to be.
    }
  }
  if (roots.size === 0) return undefined;
  const each = [...roots.entries()];
  const pathOf = (controller: Hierarchy, name: string) => `${roots.get(controller) ?? '/nonexistent'}/${name}`;
  const absent = controllers.filter((controller) => !roots.has(controller));

  const limit = (name: string, limits: CgroupLimits) => {
    if (limits.memoryBytes !== undefined && roots.has('memory')) {
      const memory = pathOf('memory', name);
      const bytes = String(limits.memoryBytes);
      // Memory and swap together may never be below memory alone, so the order of writing depends on the direction.
      const shrink = readCgroupNumber(`${memory}/memory.limit_in_bytes`) > limits.memoryBytes;
      if (shrink) writeFileSync(`${memory}/memory.limit_in_bytes`, bytes);
      writeOptional(`${memory}/memory.memsw.limit_in_bytes`, bytes);
      if (!shrink) writeFileSync(`${memory}/memory.limit_in_bytes`, bytes);
      writeOptional(`${memory}/memory.swappiness`, '0');
    }
    if (limits.pids !== undefined && roots.has('pids')) writeFileSync(`${pathOf('pids', name)}/pids.max`, String(limits.pids));
    if (limits.cpus !== undefined && roots.has('cpu')) {
      writeOptional(`${pathOf('cpu', name)}/cpu.cfs_period_us`, String(cpuPeriodUs));
      writeOptional(`${pathOf('cpu', name)}/cpu.cfs_quota_us`, String(Math.round(limits.cpus * cpuPeriodUs)));
    }
    if (limits.cpuWeight !== undefined && roots.has('cpu'))
      writeOptional(`${pathOf('cpu', name)}/cpu.shares`, String(Math.max(2, Math.round(limits.cpuWeight * sharesPerWeight))));
  };

  return {
    version: 1,
    available: new Set(controllers.filter((controller) => roots.has(controller))),
    missing: absent.length === 0 ? undefined : `no writable cgroup for ${absent.join(', ')}`,
    canFreeze: roots.has('freezer'),
    freeze: (name) => writeOptional(`${pathOf('freezer', name)}/freezer.state`, 'FROZEN'),
    thaw: (name) => writeOptional(`${pathOf('freezer', name)}/freezer.state`, 'THAWED'),
    create(name, limits) {
      for (const [, root] of each) makeCgroup(`${root}/${name}`);
      limit(name, limits);
    },
    limit,
    place(name, pids) {
      for (const [, root] of each) writeProcesses(`${root}/${name}/cgroup.procs`, pids);
    },
    counts: (name) => ({
      oomKills: readCgroupKey(`${pathOf('memory', name)}/memory.oom_control`, 'oom_kill'),
      pidsRefused: readCgroupKey(`${pathOf('pids', name)}/pids.events`, 'max'),
      memoryBytes: readCgroupNumber(`${pathOf('memory', name)}/memory.usage_in_bytes`),
    }),
    memory: (name) => {
      const path = name === undefined ? (roots.get('memory') ?? '/nonexistent') : pathOf('memory', name);
      return {
        privateBytes: readCgroupSum(`${path}/memory.stat`, ['total_rss', 'total_shmem', 'total_swapcached']),
        swapCachedBytes: readCgroupKey(`${path}/memory.stat`, 'total_swapcached'),
        swappedBytes: readCgroupSum(`${path}/memory.stat`, ['total_swap']),
      };
    },
    allowSwap: () => undefined,
    async dropSwapCached(name) {
      const memory = pathOf('memory', name);
      // At 0 what is not of a file is not looked at.
      writeOptional(`${memory}/memory.swappiness`, '100');
      await tryWriting(`${memory}/memory.force_empty`, '0');
      writeOptional(`${memory}/memory.swappiness`, '0');
    },
    processes: (name) => [...new Set(each.flatMap(([, root]) => readProcesses(`${root}/${name}/cgroup.procs`)))],
    names: () => [...new Set(each.flatMap(([, root]) => childCgroups(root)))],
    remove: (name) => each.map(([, root]) => removeCgroup(`${root}/${name}`)).every(Boolean),
    close() {
      for (const [, root] of each) {
        for (const name of childCgroups(root)) removeCgroup(`${root}/${name}`);
        removeCgroup(root);
      }
    },
  };
}
