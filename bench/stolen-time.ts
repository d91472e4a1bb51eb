/** Processor time that a virtual machine wanted and did not get, since its host gave it to others: figures from such a while tell of them. */
import { readFileSync } from 'node:fs';

/** In the kernel's ticks, over all processors, since the machine started. */
export interface ProcessorTimes {
  readonly used: number;
  readonly stolen: number;
}

/** Reads the first line of proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal. */
export function parseProcessorTimes(stat: string): ProcessorTimes {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, stolen = 0] = stat
    .split('\n', 1)
    .join()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { used: user + nice + system + irq + softirq, stolen };
}

/** Undefined where there is no such file. */
export function processorTimes(): ProcessorTimes | undefined {
  try {
    return parseProcessorTimes(readFileSync('/proc/stat', 'utf8'));
  } catch {
    return undefined;
  }
}

/** The share of what was wanted that others got, from 0 to 1. */
export function stolenShare(before: ProcessorTimes, after: ProcessorTimes): number {
  const stolen = after.stolen - before.stolen;
  const wanted = after.used - before.used + stolen;
  return wanted === 0 ? 0 : stolen / wanted;
}

export function stolenNote(before: ProcessorTimes | undefined, after: ProcessorTimes | undefined): string[] {
  if (before === undefined || after === undefined) return [];
  return [`${(100 * stolenShare(before, after)).toFixed(1)} % of the processor time that was wanted went to other machines of the host`];
}
