import { readFileSync } from 'node:fs';
import { openCgroupV1 } from './cgroup-v1.ts';
import { openCgroupV2 } from './cgroup-v2.ts';

export const controllers = ['memory', 'pids', 'cpu'] as const;
export type Controller = (typeof controllers)[number];

export interface CgroupLimits {
  readonly memoryBytes?: number;
  readonly pids?: number;
  /** CPUs' worth of time, such as 1.5. */
  readonly cpus?: number;
}

/** What the kernel has counted against a cgroup. */
export interface CgroupCounts {
  readonly oomKills: number;
  /** Forks that were refused at the limit. */
  readonly pidsRefused: number;
  readonly memoryBytes: number;
}

/**
 * The cgroups of one Swiftlet on this host, below one folder of its own. All calls are synchronous and touch the kernel only;
 * `place` may take some ms (the kernel waits for a grace period), the others some 10 µs.
 * Names are the caller's; a name that does not exist reads as empty and is removed without an error.
 */
export interface CgroupTree {
  readonly version: 1 | 2;
  /** What can be limited here. A limit without its controller is left out; `missing` says why. */
  readonly available: ReadonlySet<Controller>;
  readonly missing: string | undefined;
  create(name: string, limits: CgroupLimits): void;
  limit(name: string, limits: CgroupLimits): void;
  place(name: string, pids: readonly number[]): void;
  counts(name: string): CgroupCounts;
  processes(name: string): number[];
  names(): string[];
  /** @returns false when processes are still in it */
  remove(name: string): boolean;
  /** Removes the folder of its own, with the empty cgroups in it. */
  close(): void;
}

/** `cpu.max`, `cpu.cfs_quota_us`: how long a throttled cgroup waits at most. */
export const cpuPeriodUs = 100_000;

/**
 * Opens the tree for this host: version 2 where it has the controllers, else version 1.
 * @param folder the name of the folder of its own
 * @returns undefined when this process may not make cgroups here
 */
export function openCgroups(folder: string): CgroupTree | undefined {
  const memberships = parseMemberships(readFileSync('/proc/self/cgroup', 'utf8'));
  const mounts = parseCgroupMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
  return openCgroupV2(folder, mounts, memberships) ?? openCgroupV1(folder, mounts, memberships);
}

/** Which path this process has in each hierarchy: by controller's name, and by '' for version 2. */
export function parseMemberships(text: string): ReadonlyMap<string, string> {
  const memberships = new Map<string, string>();
  for (const line of text.trim().split('\n')) {
    const [, names = '', ...path] = line.split(':');
    for (const name of names.split(',')) memberships.set(name, path.join(':'));
  }
  return memberships;
}

export interface CgroupMounts {
  readonly v2: string | undefined;
  readonly v1: ReadonlyMap<string, string>;
}

/** Where the hierarchies are mounted, from proc_pid_mountinfo(5). */
export function parseCgroupMounts(mountinfo: string): CgroupMounts {
  const v1 = new Map<string, string>();
  let v2: string | undefined;
  for (const line of mountinfo.trim().split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const point = before.split(' ')[4];
    const [kind, , options = ''] = after.split(' ');
    if (point === undefined) continue;
    if (kind === 'cgroup2') v2 = point;
    if (kind === 'cgroup') for (const name of options.split(',')) v1.set(name, point);
  }
  return { v2, v1 };
}
