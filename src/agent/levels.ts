/** After how long an idle instance goes to the next level, where its function does not say it: by what that costs and saves on this host. Pure. */
import type { CgroupMemory } from './linux/cgroup.ts';

export interface SwapCost {
  /** To swap and back. */
  readonly processorMsPerByte: number;
  /** The host's memory by the host's processors. */
  readonly bytesPerProcessor: number;
}

/** Of an instance's memory, what a request touches at most usually: only that comes back, and only that has to move again the next time. */
const touchedPart = 1 / 4;
const bounds = { least: 10_000, most: 600_000 } as const;

/**
 * When keeping a byte in memory has cost as much as it costs to move it away and back: whoever waits so long never pays more than twice what
 * the best would have, whenever the next request comes (the ski-rental rule). A processor is worth as much as its part of the memory.
 * @returns milliseconds
 */
export function breakEvenMs({ processorMsPerByte, bytesPerProcessor }: SwapCost): number {
  return Math.round(Math.min(bounds.most, Math.max(bounds.least, processorMsPerByte * touchedPart * bytesPerProcessor)));
}

/** What an instance takes of the host's memory. @param perSwappedByte what a byte in swap takes of it */
export const heldBytes = ({ privateBytes, swappedBytes }: CgroupMemory, perSwappedByte: number): number =>
  Math.round(privateBytes + swappedBytes * perSwappedByte);
