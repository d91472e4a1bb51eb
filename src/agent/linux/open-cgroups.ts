import { readFileSync } from 'node:fs';
import type { CgroupMounts, CgroupTree } from './cgroup.ts';
import { openCgroupV1 } from './cgroup-v1.ts';
import { openCgroupV2 } from './cgroup-v2.ts';

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
