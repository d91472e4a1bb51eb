/** What the kernel knows of the platform’s processes. Linux only, like the platform. */
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** Processor time used so far, in user and system mode, of the process and of its children that have ended. */
  readonly cpuMs: number;
  /** Its command line as `ps` shows it; a role calls itself `swiftlet <role>`. */
  readonly title: string;
}

/** Parses `/proc/<pid>/stat`. The second field is a name in parentheses, which may itself contain any of both. */
export function parseStat(stat: string): { readonly parent: number; readonly cpuMs: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (n: number) => Number(fields[n - 3]);
  const ticks = field(14) + field(15) + field(16) + field(17);
  return { parent: field(4), cpuMs: (ticks * 1000) / ticksPerSecond };
}

/** The bytes of one line of `/proc/<pid>/smaps_rollup` or `/proc/<pid>/status`, such as `Pss` or `VmRSS`. */
export function parseKibibytes(text: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  return found === undefined ? 0 : Number(found) * 1024;
}

/** @returns undefined when the process is gone */
function readProcess(pid: number): ProcessFacts | undefined {
  try {
    const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, ...parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')), title };
  } catch {
    return undefined;
  }
}

function everyProcess(): ProcessFacts[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => readProcess(Number(pid))).filter((facts) => facts !== undefined);
}

/** A process and all below it. */
export function processTree(root: number): ProcessFacts[] {
  const all = everyProcess();
  const tree = all.filter(({ pid }) => pid === root);
  // The list grows while it is walked: each one found brings its children.
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree;
}

/** The tree that a process belongs to, cut where a role of the platform begins: all processes of one sandbox. */
export function sandboxTree(pid: number): ProcessFacts[] {
  let root = readProcess(pid);
  for (let above = root; above !== undefined && !above.title.startsWith('swiftlet') && above.pid > 1; above = readProcess(above.parent))
    root = above;
  return root === undefined ? [] : processTree(root.pid);
}

export const cpuMsOf = (processes: readonly ProcessFacts[]): number => processes.reduce((sum, { cpuMs }) => sum + cpuMs, 0);

/** Memory in bytes, with shared pages counted by the share. */
export function pssOf(processes: readonly ProcessFacts[]): number {
  return processes.reduce((sum, { pid }) => sum + readKibibytes(`/proc/${pid}/smaps_rollup`, 'Pss'), 0);
}

export const residentBytesOf = (pid: number): number => readKibibytes(`/proc/${pid}/status`, 'VmRSS');

export function descriptorsOf(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

function readKibibytes(path: string, name: string): number {
  try {
    return parseKibibytes(readFileSync(path, 'utf8'), name);
  } catch {
    return 0;
  }
}

/** What only these processes have in memory, in bytes: what is not of a file. */
export const anonymousBytesOf = (processes: readonly ProcessFacts[]): number =>
  processes.reduce((sum, { pid }) => sum + readKibibytes(`/proc/${pid}/smaps_rollup`, 'Anonymous'), 0);

/** The process of a role; undefined while none runs. @param supervisor the process that starts roles */
export const pidOfRole = (supervisor: number, role: string): number | undefined =>
  processTree(supervisor).find(({ parent, title }) => parent === supervisor && title.startsWith(`swiftlet ${role}`))?.pid;
