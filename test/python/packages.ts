/** Packages of Python's index for tests, of pinned versions, checked by their hashes. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const python = '/usr/bin/python3';
/** Beside what else is installed, and thrown away with it. */
const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/swiftlet', import.meta.url));
const limitMs = 200_000;
const run = promisify(execFile);

/**
 * @param list a file beside this one: what is wanted, with all that it needs, and each one's hash
 * @returns the folder for PYTHONPATH; they are fetched when they are not there @throws Error when pip is missing, or a package is another than ours
 */
export async function pythonPackages(list: string): Promise<string> {
  const file = fileURLToPath(new URL(list, import.meta.url));
  const digest = createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12);
  const folder = join(cacheFolder, `python-${digest}`);
  if (existsSync(folder)) return folder;
  // Two that fetch them at once do not see each other's half.
  const made = `${folder}.${process.pid}`;
  const words = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--require-hashes',
    '--target',
    made,
    '--requirement',
  ];
  try {
    await run(python, [...words, file], { timeout: limitMs });
    if (!existsSync(folder)) renameSync(made, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return folder;
}
