/** What a platform holds of its host: the things that leak. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { homeId } from '../src/role/home.ts';
import { descriptorsOf, type ProcessFacts, processTree } from './processes.ts';

export interface Holdings {
  readonly processes: number;
  /** Open in the roles together. */
  readonly descriptors: number;
  readonly mounts: number;
  readonly cgroups: number;
}

/** The platform’s roles, by the name each gives itself. */
export const rolesBelow = (supervisor: number): ProcessFacts[] =>
  processTree(supervisor).filter(({ pid, title }) => pid !== supervisor && title.startsWith('swiftlet '));

/** @param supervisor the process that `swiftlet up` is @param home its data folder */
export function holdingsOf(supervisor: number, home: string): Holdings {
  return {
    processes: processTree(supervisor).length,
    descriptors: rolesBelow(supervisor).reduce((sum, { pid }) => sum + descriptorsOf(pid), 0),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8').trimEnd().split('\n').filter(isNoOthers(home)).length,
    cgroups: cgroupsOf(home),
  };
}

/** Each platform keeps its router by a mount; others may run beside it. */
const isNoOthers =
  (home: string) =>
  (mount: string): boolean =>
    !mount.includes('/router.ns ') || mount.includes(`/${homeId(home)}/`);

/** The cgroups of the platform with this data folder. */
export const cgroupsOf = (home: string): number => ownCgroups('/sys/fs/cgroup', `swiftlet-${homeId(home)}`, false);

/** Counts the folders below those that are named for this platform; others may run beside it. */
function ownCgroups(folder: string, name: string, inside: boolean): number {
  let count = 0;
  for (const entry of folders(folder)) {
    const own = inside || entry === name;
    count += (own ? 1 : 0) + ownCgroups(join(folder, entry), name, own);
  }
  return count;
}

function folders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    // Gone since its parent was read.
    return [];
  }
}
