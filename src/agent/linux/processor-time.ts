import { readCgroupFile } from './cgroup-files.ts';

/** Linux tells processor time in hundredths of a second, whatever its own clock does (proc(5), `sysconf(_SC_CLK_TCK)`). */
const msPerTick = 10;
/** Behind the command, which is in brackets and may have anything in it: the 14th and 15th field of the whole line. */
const [userField, systemField] = [11, 12];

/** Processor time of processes and of their threads so far, in milliseconds; of those that are gone, nothing. */
export const processorMs = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + ticksOf(pid), 0) * msPerTick;

function ticksOf(pid: number): number {
  const stat = readCgroupFile(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[userField] ?? 0) + Number(fields[systemField] ?? 0);
  return Number.isFinite(ticks) ? ticks : 0;
}
