/** What tests build once, beside what else is installed, and thrown away with it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const cacheFolder = fileURLToPath(new URL('../../node_modules/.cache/swiftlet', import.meta.url));
const limitMs = 400_000;

/** A tool's run, with a limit of time. @throws Error with what it printed when it fails or is missing */
export const runTool = async (command: string, words: readonly string[], cwd: string, env: Record<string, string> = {}): Promise<void> => {
  await promisify(execFile)(command, words, { cwd, timeout: limitMs, env: { ...process.env, ...env }, maxBuffer: 16 * 1024 * 1024 });
};

/** What files make up a folder, by their paths in it, in order. */
export const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/**
 * @param source the folder that it is made of: another file there makes another one
 * @param make fills an empty folder
 * @returns a folder that has been made once
 * @throws what `make` throws
 */
export async function builtFolder(source: string, make: (folder: string) => Promise<void>): Promise<string> {
  const sum = createHash('sha256');
  for (const file of filesIn(source)) sum.update(file.slice(source.length)).update(readFileSync(file));
  const folder = join(cacheFolder, `${basename(source)}-${sum.digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  // Two that make it at once do not see each other's half.
  const half = `${folder}.${process.pid}`;
  mkdirSync(half, { recursive: true });
  try {
    await make(half);
    if (!existsSync(folder)) renameSync(half, folder);
  } finally {
    rmSync(half, { recursive: true, force: true });
  }
  return folder;
}
