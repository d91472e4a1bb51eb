/** Reading and writing the control files of either version. */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';

const absent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENODEV');

export function readCgroupFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (absent(error)) return '';
    throw error;
  }
}

export const readCgroupNumber = (path: string): number => {
  const value = Number(readCgroupFile(path));
  return Number.isFinite(value) ? value : 0;
};

/** One value of a flat-keyed file such as `memory.events`. */
export const readCgroupKey = (path: string, key: string): number => readCgroupSum(path, [key]);

/** The sum of some values of a flat-keyed file. */
export function readCgroupSum(path: string, keys: readonly string[]): number {
  let sum = 0;
  for (const line of readCgroupFile(path).split('\n')) {
    const space = line.indexOf(' ');
    if (keys.includes(line.slice(0, space))) sum += Number(line.slice(space + 1));
  }
  return sum;
}

/** Writes a limit that this kernel may not know. */
export function writeOptional(path: string, value: string): void {
  try {
    writeFileSync(path, value);
  } catch (error) {
    if (!absent(error) && !(error instanceof Error && 'code' in error && error.code === 'EACCES')) throw error;
  }
}

/** As `writeOptional`, for what takes long. @throws nothing: what the kernel could not do it has tried */
export const tryWriting = (path: string, value: string): Promise<void> => writeFile(path, value, { flag: 'r+' }).catch(() => undefined);

/** Moves processes; one that has ended meanwhile needs no place. */
export function writeProcesses(path: string, pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(path, String(pid));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

export const readProcesses = (path: string): number[] => readCgroupFile(path).split('\n').filter(Boolean).map(Number);

export const makeCgroup = (path: string): void => {
  mkdirSync(path, { recursive: true });
};

/** @returns false when processes are still in it */
export function removeCgroup(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (absent(error)) return true;
    if (error instanceof Error && 'code' in error && error.code === 'EBUSY') return false;
    throw error;
  }
}

export function childCgroups(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (absent(error)) return [];
    throw error;
  }
}
