/** Production dependencies by the lockfile, installed once for each lockfile and kept: the second deploy takes them from there. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { SwiftletError } from '../model/errors.ts';

export const lockfile = 'package-lock.json';
/** What decides what is installed: the project's own settings can name another registry. */
const inputs = ['package.json', lockfile, '.npmrc'];
const npmArguments = ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error'];
const installLimitMs = 300_000;
const keptForMs = 30 * 24 * 60 * 60 * 1_000;
const saidLines = 5;

export interface InstallMeans {
  /** A folder for installed dependencies, by the digest of what decides them. */
  readonly cache: string;
  /** Ends the installation; nothing of it is left. */
  readonly signal: AbortSignal;
}

/**
 * @param source a folder with a package.json and a lockfile; it is only read
 * @returns a folder that is only to be read: the dependencies' `node_modules`
 * @throws SwiftletError ManifestInvalid with what npm said
 */
export async function installDependencies(source: string, { cache, signal }: InstallMeans): Promise<string> {
  const digest = createHash('sha256').update(process.arch);
  for (const name of inputs) if (existsSync(join(source, name))) digest.update(`\0${name}\0`).update(await readFile(join(source, name)));
  const kept = join(cache, digest.digest('hex').slice(0, 32));
  if (existsSync(kept)) await utimes(kept, new Date(), new Date());
  else {
    await mkdir(cache, { recursive: true, mode: 0o700 });
    await dropUnused(cache);
    await installInto(kept, source, signal);
  }
  return kept;
}

/** Installs beside the place and moves it there whole, so that nothing half installed is ever used. */
async function installInto(kept: string, source: string, signal: AbortSignal): Promise<void> {
  const staging = await mkdtemp(`${kept}-`);
  try {
    for (const name of inputs) if (existsSync(join(source, name))) await cp(join(source, name), join(staging, name));
    await runNpm(staging, join(source, lockfile), signal);
    const modules = join(staging, 'node_modules');
    await mkdir(modules, { recursive: true });
    await rename(modules, kept).catch((error: unknown) => {
      // Another deploy of the same lockfile was first: its result is as good.
      if (!existsSync(kept)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Resolves, or rejects, only when npm has ended: until then it may write. */
async function runNpm(cwd: string, place: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const npm = spawn('npm', npmArguments, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
  const end = () => npm.kill();
  const limit = setTimeout(end, installLimitMs);
  signal.addEventListener('abort', end, { once: true });
  try {
    const [said, [code]] = await Promise.all([text(npm.stderr), once(npm, 'close') as Promise<[number | null]>]);
    signal.throwIfAborted();
    if (code !== 0) throw notInstalled(place, code === null ? `it took over ${installLimitMs / 1_000} s` : summary(said));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw notInstalled(place, 'there is no npm on the PATH');
    throw error;
  } finally {
    clearTimeout(limit);
    signal.removeEventListener('abort', end);
  }
}

const notInstalled = (place: string, why: string): SwiftletError =>
  new SwiftletError('ManifestInvalid', `the dependencies in ${place} could not be installed: ${why}`, { place });

/** The first lines of what npm says, without its prefix and without the path of its own log. */
function summary(said: string): string {
  const lines = said.split('\n').map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trim());
  const telling = lines.filter((line) => line !== '' && !line.startsWith('npm warn') && !line.includes('A complete log of this run'));
  return telling.slice(0, saidLines).join('; ');
}

/** Drops what no deploy has used for a month, and what a killed one left. */
async function dropUnused(cache: string): Promise<void> {
  const oldest = Date.now() - keptForMs;
  for (const name of await readdir(cache)) {
    const path = join(cache, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (mtimeMs < oldest) await rm(path, { recursive: true, force: true });
  }
}
