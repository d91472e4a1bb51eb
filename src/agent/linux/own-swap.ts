/**
 * Swap that this platform makes for itself, and takes away again. What was made is written down before it is used, so that whoever comes
 * after a kill finds it. Root only. Source: swapon(8), mkswap(8), Documentation/admin-guide/blockdev/zram.rst of Linux.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { readSwapAreas } from './swap-areas.ts';

export interface SwapOrder {
  readonly kind: 'auto' | 'zram' | 'file';
  readonly sizeBytes: number;
  /** Where the file lies, when it is one. */
  readonly file: string;
  /** Where it is written down what was made. */
  readonly record: string;
}

const run = promisify(execFile);
const tools = { env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` } };
/** What is in it is moved back into memory first. */
const removeLimitMs = 60_000;
const zramControl = '/sys/class/zram-control';
/** Above what the host has of its own: this was asked for to be used. */
const priority = '100';

/**
 * Makes swap and uses it. What an earlier agent made goes on being used if it is what is asked for, and is taken away if not.
 * @returns its path
 * @throws Error with what each way failed of; nothing is left then
 */
export async function makeSwap(order: SwapOrder): Promise<string> {
  const earlier = readRecord(order.record);
  if (earlier !== undefined && isWhatIsAsked(earlier, order)) return earlier;
  removeSwap(order.record);
  const ways = order.kind === 'auto' ? (['zram', 'file'] as const) : [order.kind];
  const faults: string[] = [];
  for (const way of ways) {
    try {
      return way === 'zram' ? await makeZram(order) : await makeFile(order);
    } catch (error) {
      faults.push(`${way}: ${reasonOf(error)}`);
      removeSwap(order.record);
    }
  }
  throw new Error(faults.join('; '));
}

/** Takes away what was made, whoever made it; does nothing when nothing was. Waits until what lies in it is back in memory. */
export function removeSwap(record: string): void {
  const path = readRecord(record);
  if (path === undefined) return;
  if (readSwapAreas().some((area) => area.path === path))
    execFileSync('swapoff', [path], { ...tools, stdio: 'pipe', timeout: removeLimitMs });
  const number = zramNumber(path);
  if (number === undefined) rmSync(path, { force: true });
  else if (existsSync(`/sys/block/zram${number}`)) writeFileSync(`${zramControl}/hot_remove`, number);
  rmSync(record, { force: true });
}

async function makeZram({ sizeBytes, record }: SwapOrder): Promise<string> {
  if (!existsSync(`${zramControl}/hot_add`)) await run('modprobe', ['zram'], tools).catch(() => undefined);
  if (!existsSync(`${zramControl}/hot_add`)) throw new Error('this kernel has no zram (its module is missing)');
  // To read it makes a device.
  const number = readFileSync(`${zramControl}/hot_add`, 'utf8').trim();
  const path = `/dev/zram${number}`;
  writeRecord(record, path);
  compressWell(`/sys/block/zram${number}/comp_algorithm`);
  writeFileSync(`/sys/block/zram${number}/disksize`, String(sizeBytes));
  if (!existsSync(path)) {
    const [major = '', minor = ''] = readFileSync(`/sys/block/zram${number}/dev`, 'utf8').trim().split(':');
    await run('mknod', ['-m', '600', path, 'b', major, minor], tools);
  }
  await use(path);
  return path;
}

/** What is moved there is seldom wanted soon: smaller counts more than faster. The kernel's own choice stays where it has no better one. */
function compressWell(control: string): void {
  if (/\bzstd\b/.test(readFileSync(control, 'utf8'))) writeFileSync(control, 'zstd');
}

async function makeFile({ sizeBytes, file, record }: SwapOrder): Promise<string> {
  writeRecord(record, file);
  rmSync(file, { force: true });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '', { mode: 0o600 });
  await run('fallocate', ['-l', String(sizeBytes), file], tools);
  await use(file);
  return file;
}

async function use(path: string): Promise<void> {
  await run('mkswap', [path], tools);
  await run('swapon', ['-p', priority, path], tools);
}

function isWhatIsAsked(path: string, { kind, sizeBytes }: SwapOrder): boolean {
  const area = readSwapAreas().find((one) => one.path === path);
  if (area === undefined || (kind !== 'auto' && (kind === 'zram') !== (area.kind === 'zram'))) return false;
  // Its first page describes it.
  return Math.abs(area.sizeBytes - sizeBytes) <= maxHeaderBytes;
}
const maxHeaderBytes = 65_536;

const zramNumber = (path: string): string | undefined => /^\/dev\/zram(\d+)$/.exec(path)?.[1];

function readRecord(record: string): string | undefined {
  try {
    const path = readFileSync(record, 'utf8').trim();
    return path === '' ? undefined : path;
  } catch {
    return undefined;
  }
}

function writeRecord(record: string, path: string): void {
  mkdirSync(dirname(record), { recursive: true });
  writeFileSync(record, path, { mode: 0o600 });
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'stderr' in error && String(error.stderr).trim() !== '') return String(error.stderr).trim();
  return error instanceof Error ? error.message : String(error);
}
