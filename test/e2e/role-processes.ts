/** The roles' processes, as the host sees them. */
import { readdirSync, readFileSync } from 'node:fs';

const kibibyte = 1024;

export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** The process of a role. @param supervisor the process that started it */
export function roleOf(supervisor: number, name: string): number {
  const pid = childrenOf(supervisor).find((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').startsWith(`swiftlet ${name}`));
  if (pid === undefined) throw new Error(`the role ${name} does not run`);
  return pid;
}

/** Bytes of memory that a process has in use now. */
export function residentBytes(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * kibibyte;
}

export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
