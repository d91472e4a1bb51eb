/** From a folder to a bundle. The user's folder stays as it is: dependencies are put into a copy. */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { type PackedBundle, packBundle } from './bundle.ts';
import { bundleIgnore } from './bundle-ignore.ts';
import { installDependencies, type InstallMeans, lockfile } from './install.ts';
import type { PlannedFunction } from './plan.ts';

/** @throws SwiftletError BundleRejected, or ManifestInvalid with what the package manager said; the signal's reason when it ends it */
export async function buildFunction({ source, build }: PlannedFunction, means: InstallMeans): Promise<PackedBundle> {
  const isExcluded = await bundleIgnore(source, build);
  if (!build.install || !existsSync(join(source, lockfile))) return packBundle(source, isExcluded);
  const modules = await installDependencies(source, means);
  const staging = await mkdtemp(join(tmpdir(), 'swiftlet-build-'));
  try {
    await copySources(source, staging, isExcluded);
    // Links between packages lead where they led, now within the copy.
    await cp(modules, join(staging, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    means.signal.throwIfAborted();
    return await packBundle(staging, isExcluded);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Copies what is not excluded, without the `node_modules` that are there for development. */
async function copySources(source: string, target: string, isExcluded: (path: string) => boolean): Promise<void> {
  await cp(source, target, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => {
      const name = relative(source, path).split(sep).join('/');
      return name === '' || (name.split('/')[0] !== 'node_modules' && !isExcluded(name));
    },
  });
}
