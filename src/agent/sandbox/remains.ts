/** What a sandbox leaves on the host when its processes are gone, and the processes it may have left. */
import { readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import type { CgroupTree } from '../linux/cgroup.ts';
import { cgroupOf, codeFolderOf, tmpVariable } from './sandbox-driver.ts';

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

/** Where sandboxes of one agent may have left something. */
export interface Traces {
  readonly slotsFolder: string;
  readonly cgroups: CgroupTree | undefined;
  /** The range of host uids that sandboxes have, when they have their own. */
  readonly uids: { readonly first: number; readonly count: number } | undefined;
}

/** Ends and removes everything there is of slots that nobody has: processes, cgroups, folders. Resolves when it is gone. */
export async function removeRemains(traces: Traces, kept: ReadonlySet<number>): Promise<void> {
  const { slotsFolder, cgroups } = traces;
  const isKept = (name: string) => [...kept].some((slot) => cgroupOf(slot) === name);
  const left = (cgroups?.names() ?? []).filter((name) => !isKept(name));
  // What is frozen ends by no signal.
  for (const name of left) cgroups?.thaw(name);
  const orphans = () => processesOfSlots(traces).flatMap(({ pid, slot }) => (kept.has(slot) ? [] : [pid]));
  await endAll(orphans);
  for (const name of left) await removeCgroupOf(cgroups, name);
  for (const name of readdirSync(slotsFolder)) {
    if (!kept.has(Number(name))) await rm(`${slotsFolder}/${name}`, { recursive: true, force: true });
  }
}

/** Kills until there are none, for a second at most: what is being killed may have started another meanwhile. */
export async function endAll(look: () => readonly number[]): Promise<void> {
  for (let left = emptyTries; left > 0; left--) {
    const pids = look();
    if (pids.length === 0) return;
    killAll(pids);
    await pause(emptyWaitMs);
  }
}

/**
 * The processes of sandboxes, whoever started them, without anything written down. Those with users of their own are known by them; others
 * by what they were started with: plain processes by their folder for temporary files, bubblewrap by the folder it binds the code from.
 */
export function processesOfSlots({ slotsFolder, uids }: Pick<Traces, 'slotsFolder' | 'uids'>): { pid: number; slot: number }[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) return [];
    const slot = uids === undefined ? slotNamedBy(pid, slotsFolder) : slotOfUser(pid, uids);
    return slot === undefined ? [] : [{ pid, slot }];
  });
}

/** Ends all processes of one slot. Resolves when they are gone. */
export const endSlot = (slot: number, traces: Pick<Traces, 'slotsFolder' | 'uids'>): Promise<void> =>
  endAll(() => processesOfSlots(traces).flatMap((found) => (found.slot === slot ? [found.pid] : [])));

function slotOfUser(pid: number, { first, count }: NonNullable<Traces['uids']>): number | undefined {
  const status = read(`/proc/${pid}/status`);
  const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1);
  const isEnded = /^State:\s+Z/m.test(status);
  return !isEnded && uid >= first && uid < first + count ? uid - first : undefined;
}

function slotNamedBy(pid: number, slotsFolder: string): number | undefined {
  return (
    slotIn(read(`/proc/${pid}/environ`), `${tmpVariable}=${slotsFolder}/`, '') ??
    slotIn(read(`/proc/${pid}/cmdline`), `${slotsFolder}/`, codeFolderOf(''))
  );
}

/** The number between both in a value of a list as the kernel shows it, each closed by a zero. */
function slotIn(list: string, before: string, after: string): number | undefined {
  for (const value of list.includes(before) ? list.split('\0') : []) {
    if (!value.startsWith(before) || !value.endsWith(after)) continue;
    const number = value.slice(before.length, value.length - after.length);
    if (/^\d+$/.test(number)) return Number(number);
  }
  return undefined;
}

/** @returns nothing of a process that is gone or another user's */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** When a process started, in clock ticks since boot: with its number it names a process for good. @returns undefined when it has ended */
export function startTimeOf(pid: number): string | undefined {
  try {
    // The second field is the name in parentheses and may hold anything; the 22nd is the start time.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
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
