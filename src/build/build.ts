/** From a folder to a bundle: production dependencies by the lockfile, in a copy, so that the user's folder stays as it is. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { SwiftletError } from '../model/errors.ts';
import { type PackedBundle, packBundle } from './bundle.ts';
import { bundleIgnore } from './bundle-ignore.ts';
import type { PlannedFunction } from './plan.ts';

const lockfile = 'package-lock.json';
const installLimitMs = 300_000;
const outputBytes = 16 * 1024 * 1024;

export interface BuildMeans {
  /** A folder for installed dependencies, by the digest of their lockfile. */
  readonly cache: string;
  readonly signal: AbortSignal;
}

/** @throws SwiftletError BundleRejected, or ManifestInvalid with what the package manager said */
export async function buildFunction({ source, build }: PlannedFunction, means: BuildMeans): Promise<PackedBundle> {
  const isExcluded = await bundleIgnore(source, build);
  if (!build.install || !existsSync(join(source, lockfile))) return packBundle(source, isExcluded);
  const staging = await mkdtemp(join(tmpdir(), 'swiftlet-build-'));
  try {
    const isOut = (path: string) => path.split('/')[0] === 'node_modules' || isExcluded(path);
    await cp(source, staging, {
      recursive: true,
      filter: (path) => {
        const name = relative(source, path).split(sep).join('/');
        return name === '' || !isOut(name);
      },
    });
    await placeDependencies(source, staging, means);
    return await packBundle(staging, isExcluded);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function placeDependencies(source: string, staging: string, { cache, signal }: BuildMeans): Promise<void> {
  const digest = createHash('sha256').update(process.arch);
  for (const name of ['package.json', lockfile]) digest.update(await readFile(join(source, name)));
  const kept = join(cache, digest.digest('hex').slice(0, 32));
  if (!existsSync(kept)) await install(source, kept, signal);
  if (existsSync(join(kept, 'node_modules')))
    await cp(join(kept, 'node_modules'), join(staging, 'node_modules'), { recursive: true, verbatimSymlinks: true });
}

/** Installs beside the cache's place and moves it there whole, so that nothing half installed is ever used. */
async function install(source: string, target: string, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const staging = await mkdtemp(`${target}-`);
  try {
    for (const name of ['package.json', lockfile]) await cp(join(source, name), join(staging, name));
    await promisify(execFile)('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: staging,
      timeout: installLimitMs,
      signal,
      maxBuffer: outputBytes,
    });
    await rename(staging, target).catch((error: unknown) => {
      // Another deploy of the same lockfile was first: its result is as good.
      if (!existsSync(target)) throw error;
    });
  } catch (error) {
    const said =
      error instanceof Error && 'stderr' in error
        ? String(error.stderr)
            .trim()
            .split('\n')
            .filter((line) => !line.includes('npm warn'))
            .slice(0, 5)
            .join('; ')
        : String(error);
    throw new SwiftletError('ManifestInvalid', `the dependencies in ${join(source, lockfile)} could not be installed: ${said}`, {
      cause: error,
      place: lockfile,
    });
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}
