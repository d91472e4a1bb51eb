/** Where a secret could have been left: files, answers, environments, command lines, memory. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** How a value may be written: as it is, and in what programs make of it. */
export const writings = (value: string): readonly Buffer[] => [
  Buffer.from(value),
  Buffer.from(Buffer.from(value).toString('base64').replace(/=+$/, '').slice(0, -1)),
  Buffer.from(Buffer.from(value).toString('hex')),
  Buffer.from(encodeURIComponent(value)),
  Buffer.from(value, 'utf16le'),
];

const has = (bytes: Buffer, values: readonly string[]): boolean =>
  values.some((value) => writings(value).some((one) => bytes.includes(one)));

/** Files below a folder that have one of these values. */
export function filesWith(folder: string, values: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => has(readAll(path), values));
}

/** Of a network namespace, which is mounted on a file, nothing can be read. */
function readAll(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EINVAL') return Buffer.alloc(0);
    throw error;
  }
}

/** All processes of this host whose environment or command line has one of these values. */
export function processesThatShow(values: readonly string[]): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => ['environ', 'cmdline'].map((file) => `/proc/${pid}/${file}`))
    .filter((path) => has(readQuietly(path), values));
}

/** A larger region is address space that was put aside, and hardly any memory. */
const largestRegion = 128 * 1024 * 1024;

/** Those of these values that a process has in memory that it can write to. */
export function valuesInMemory(pid: number, values: readonly string[]): string[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    const found = new Set<string>();
    for (const { start, length } of writableRegions(pid)) {
      const bytes = readRegion(memory, start, length);
      for (const value of values) if (bytes.includes(value)) found.add(value);
    }
    return [...found];
  } finally {
    closeSync(memory);
  }
}

function writableRegions(pid: number): { readonly start: number; readonly length: number }[] {
  return readFileSync(`/proc/${pid}/maps`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (from === undefined || to === undefined) return [];
      const [start, end] = [parseInt(from, 16), parseInt(to, 16)];
      return end - start > largestRegion ? [] : [{ start, length: end - start }];
    });
}

/** What is gone meanwhile, or cannot be read, has nothing. */
function readRegion(memory: number, start: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  try {
    return bytes.subarray(0, readSync(memory, bytes, 0, length, start));
  } catch {
    return Buffer.alloc(0);
  }
}

function readQuietly(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
