/**
 * Moving a process's memory to swap from outside. Only what nobody shares moves: the kernel leaves pages alone that several processes have.
 * Source: process_madvise(2), pidfd_open(2), Documentation/filesystems/proc.rst of Linux.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import koffi from 'koffi';
import { closeFd } from './libc.ts';

const libc = koffi.load('libc.so.6');
const pidfdOpen = libc.func('long syscall(long number, int pid, unsigned int flags)') as (
  number: number,
  pid: number,
  flags: number,
) => number;
type Advise = (number: number, pidfd: number, ranges: BigUint64Array, count: bigint, advice: number, flags: number) => number;
const processMadvise = libc.func(
  'long syscall(long number, int pidfd, const uint64_t *ranges, size_t count, int advice, unsigned int flags)',
) as Advise & { readonly async: (...values: [...Parameters<Advise>, (error: unknown, result: number) => void]) => void };

// The same numbers on x86-64 and arm64.
const sysPidfdOpen = 434;
const sysProcessMadvise = 440;
const pageOut = 21;
const willNeed = 3;
const capSysNice = 23n;

/** What one call may look through: it cannot be stopped in the middle. */
const bytesAtOnce = 32n * 1024n * 1024n;
/** As many as the kernel takes (IOV_MAX). */
const rangesAtOnce = 1024;

/** Of a process's addresses; from and to the border of a page. */
export interface Range {
  readonly from: bigint;
  readonly bytes: bigint;
}

/** Why this process cannot page others out; undefined when it can. */
export function pageOutFault(): string | undefined {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  if ((BigInt(`0x${mask}`) >> capSysNice) % 2n === 0n) return 'the right CAP_SYS_NICE is missing';
  const pidfd = pidfdOpen(sysPidfdOpen, process.pid, 0);
  if (pidfd < 0) return 'pidfd_open is refused';
  try {
    return processMadvise(sysProcessMadvise, pidfd, new BigUint64Array(2), 0n, pageOut, 0) < 0
      ? 'process_madvise is refused (Linux 5.10 or later has it)'
      : undefined;
  } finally {
    closeFd(pidfd);
  }
}

/**
 * Moves what only this process has in memory to swap, as far as there is room; some 3 ms for each MiB on zram, in a thread of its own. It is to stand still
 * meanwhile. Does nothing for one that is gone.
 * @param signal stops it at the next step, within some 10 ms
 */
export async function pageOutProcess(pid: number, signal: AbortSignal): Promise<void> {
  await adviseProcess(pid, parseMaps(await readFile(`/proc/${pid}/maps`, 'latin1').catch(() => '')), pageOut, signal);
}

/**
 * Has the kernel read back from swap what this process will need, many pages at a time where its own faults would bring a few; in a thread of its
 * own. The process may go on meanwhile. Does nothing for one that is gone.
 */
export const pageInProcess = (pid: number, ranges: readonly Range[]): Promise<void> => adviseProcess(pid, ranges, willNeed);

async function adviseProcess(pid: number, ranges: readonly Range[], advice: number, signal?: AbortSignal): Promise<void> {
  const pidfd = pidfdOpen(sysPidfdOpen, pid, 0);
  if (pidfd < 0) return;
  try {
    for (const batch of batchesOf(ranges)) {
      if (signal?.aborted === true) return;
      await advise(pidfd, batch, advice);
    }
  } finally {
    closeFd(pidfd);
  }
}

function advise(pidfd: number, batch: readonly Range[], advice: number): Promise<void> {
  const ranges = new BigUint64Array(batch.flatMap(({ from, bytes }) => [from, bytes]));
  return new Promise((resolve) => {
    // What is refused stays in memory; how much came out is measured afterwards.
    processMadvise.async(sysProcessMadvise, pidfd, ranges, BigInt(batch.length), advice, 0, () => resolve());
  });
}

/** The ranges of memory of `/proc/<pid>/maps`, without those that are the kernel's own. */
export function parseMaps(maps: string): Range[] {
  return maps.split('\n').flatMap((line) => {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line) ?? [];
    if (from === undefined || to === undefined || /\[(?:vvar|vdso|vsyscall|vvar_vclock)\]$/.test(line)) return [];
    const start = BigInt(`0x${from}`);
    return [{ from: start, bytes: BigInt(`0x${to}`) - start }];
  });
}

/** What goes into one call each: no more than `bytesAtOnce`, a longer range by itself in pieces. */
export function batchesOf(ranges: readonly Range[]): Range[][] {
  const batches: Range[][] = [];
  let [batch, bytes]: [Range[], bigint] = [[], 0n];
  for (const range of ranges.flatMap(piecesOf)) {
    if (batch.length > 0 && (bytes + range.bytes > bytesAtOnce || batch.length === rangesAtOnce)) {
      batches.push(batch);
      [batch, bytes] = [[], 0n];
    }
    batch.push(range);
    bytes += range.bytes;
  }
  return batch.length === 0 ? batches : [...batches, batch];
}

/** What is reserved for the future may be gigabytes long, and has nothing in it: pieces of a GiB, as the kernel takes them. */
function piecesOf({ from, bytes }: Range): Range[] {
  if (bytes <= bytesAtOnce) return [{ from, bytes }];
  const piece = bytes > 16n * bytesAtOnce ? 32n * bytesAtOnce : bytesAtOnce;
  const pieces: Range[] = [];
  for (let at = 0n; at < bytes; at += piece) pieces.push({ from: from + at, bytes: bytes - at < piece ? bytes - at : piece });
  return pieces;
}

const pageBytes = 4096;

/** What it takes this thread's processor to move memory to swap and back, in milliseconds: what others do meanwhile does not count. Half of what is moved can be compressed. Keeps its thread busy for that long. */
export function timePageOut(bytes: number): { readonly outMs: number; readonly backMs: number } {
  const memory = Buffer.allocUnsafeSlow(bytes + pageBytes);
  for (let at = 0; at < memory.length; at += 8) memory.writeDoubleLE(at % pageBytes < pageBytes / 2 ? Math.random() : at, at);
  const address = koffi.address(memory);
  const from = (address + BigInt(pageBytes - 1)) & ~BigInt(pageBytes - 1);
  const pidfd = pidfdOpen(sysPidfdOpen, process.pid, 0);
  try {
    const began = threadMs();
    processMadvise(sysProcessMadvise, pidfd, new BigUint64Array([from, BigInt(bytes)]), 1n, pageOut, 0);
    const out = threadMs();
    let sum = 0;
    for (let at = 0; at < bytes; at += pageBytes) sum += memory[at + Number(from - address)] ?? 0;
    return { outMs: out - began, backMs: threadMs() - out + 0 * sum };
  } finally {
    closeFd(pidfd);
  }
}

function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
