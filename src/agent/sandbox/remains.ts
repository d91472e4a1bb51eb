/** What a sandbox leaves on the host when its processes are gone, and the processes it may have left. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { CgroupTree } from '../linux/cgroup.ts';

const emptyWaitMs = 5;
const emptyTries = 200;

/** Removes a cgroup, killing what is still in it. Gives up silently after a second: the next start sweeps again. */
export async function removeCgroupOf(cgroups: CgroupTree | undefined, name: string): Promise<void> {
  if (cgroups === undefined) return;
  for (let left = emptyTries; left > 0; left--) {
    if (cgroups.remove(name)) return;
    killAll(cgroups.processes(name));
    await pause(emptyWaitMs);
  }
}

export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

/** The processes that a range of host uids has: sandboxes, since nobody else has these uids. */
export function processesOfUids(first: number, count: number): { pid: number; uid: number }[] {
  const found: { pid: number; uid: number }[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const uid = uidOf(pid);
    if (uid !== undefined && uid >= first && uid < first + count) found.push({ pid, uid });
  }
  return found;
}

function uidOf(pid: number): number | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/^Uid:\s+(\d+)/m);
    return line?.[1] === undefined ? undefined : Number(line[1]);
  } catch {
    return undefined;
  }
}

/** When a process started, in clock ticks since boot: with its number it names a process for good. */
export function startTimeOf(pid: number): string | undefined {
  try {
    // The second field is the name in parentheses and may hold anything; the 22nd is the start time.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
