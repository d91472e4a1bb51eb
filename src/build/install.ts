/** Dependencies, installed once for what asks for them and kept: the second deploy takes them from there. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Installer } from './installer.ts';

const keptForMs = 30 * 24 * 60 * 60 * 1_000;

export interface InstallMeans {
  /** A folder for installed dependencies, by the digest of what decides them. */
  readonly cache: string;
  /** Ends the installation; nothing of it is left. */
  readonly signal: AbortSignal;
}

/**
 * @param source only read
 * @param inputs of this source, as the installer tells them
 * @returns a folder that is only to be read: what is to be the bundle's `installer.folder`
 * @throws SwiftletError ManifestInvalid with what the package manager said
 */
export async function installDependencies(
  source: string,
  installer: Installer,
  inputs: readonly (string | Buffer)[],
  { cache, signal }: InstallMeans,
): Promise<string> {
  const digest = createHash('sha256').update(process.arch);
  for (const input of inputs) digest.update(input);
  const kept = join(cache, digest.digest('hex').slice(0, 32));
  if (existsSync(kept)) await utimes(kept, new Date(), new Date());
  else {
    await mkdir(cache, { recursive: true, mode: 0o700 });
    await dropUnused(cache);
    await installInto(kept, source, installer, signal);
  }
  return kept;
}

/** Installs beside the place and moves it there whole, so that nothing half installed is ever used. */
async function installInto(kept: string, source: string, installer: Installer, signal: AbortSignal): Promise<void> {
  const staging = await mkdtemp(`${kept}-`);
  try {
    await installer.install(source, staging, signal);
    await rename(join(staging, installer.folder), kept).catch((error: unknown) => {
      // Another deploy of the same inputs was first: its result is as good.
      if (!existsSync(kept)) throw error;
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
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
