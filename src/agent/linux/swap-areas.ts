/** The swap that this host has: where memory may go, how much room there is, and what it takes of the memory itself. Source: proc_swaps(5), zram.rst of Linux. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

export interface SwapArea {
  readonly path: string;
  /** zram: compressed, in memory. */
  readonly kind: 'zram' | 'disk';
  readonly sizeBytes: number;
  readonly usedBytes: number;
}

const bytesPerUnit = 1024;
const swapsFile = '/proc/swaps';

/** @returns none where the kernel has no swap */
export function readSwapAreas(): SwapArea[] {
  return parseSwaps(read(swapsFile));
}

export function parseSwaps(text: string): SwapArea[] {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [path, , size, used] = line.split(/\s+/);
      if (path === undefined || size === undefined || used === undefined) return [];
      const kind = /^zram\d+$/.test(basename(path)) ? 'zram' : 'disk';
      return [{ path, kind, sizeBytes: Number(size) * bytesPerUnit, usedBytes: Number(used) * bytesPerUnit } as const];
    });
}

export const freeSwapBytes = (areas: readonly SwapArea[]): number =>
  areas.reduce((sum, { sizeBytes, usedBytes }) => sum + sizeBytes - usedBytes, 0);

/** What a byte that lies in swap takes of the host's memory, on average: nothing on a disk, what is left of it after compression in zram. */
export function memoryPerSwappedByte(areas: readonly SwapArea[], statOf: (area: SwapArea) => string = readZramStat): number {
  let [swapped, held] = [0, 0];
  for (const area of areas) {
    swapped += area.usedBytes;
    if (area.kind === 'zram') held += Number(statOf(area).trim().split(/\s+/)[2] ?? 0);
  }
  return swapped === 0 ? 0 : Math.min(1, held / swapped);
}

/** The third of its numbers is what zram takes of the memory, with all that it needs around it. */
const readZramStat = ({ path }: SwapArea): string => read(`/sys/block/${basename(path)}/mm_stat`);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
