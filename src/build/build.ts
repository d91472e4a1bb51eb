/** From a folder to a bundle. The user's folder stays as it is: dependencies are put into a copy. */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { type BuildRuntimeName, defaultRuntime, languageOf, nodeRuntimeSchema } from '../model/runtimes.ts';
import { type PackedBundle, packBundle } from './bundle.ts';
import { bundleLimits } from './bundle-limits.ts';
import { bundleIgnore } from './bundle-ignore.ts';
import { installDependencies, type InstallMeans } from './install.ts';
import { installationOf, projectFile, requirementsFile } from './installation.ts';
import { installerFor } from './installers.ts';
import { packJava } from './java-bundle.ts';
import { lockfile } from './npm-installer.ts';
import type { PlannedFunction } from './plan.ts';

/** @throws SwiftletError BundleRejected, or ManifestInvalid with what the package manager said; the signal's reason when it ends it */
export async function buildFunction(planned: PlannedFunction, means: InstallMeans): Promise<PackedBundle> {
  const { source, build, config } = planned;
  const kind = config.format === 'lz4' ? 'lz4' : 'zstd';
  if (config.runtime === 'java') return packJava(planned, kind, means.signal);
  const isExcluded = await bundleIgnore(source, build);
  const installer = installerFor(languageOf(config.runtime), source);
  const inputs = build.install ? await installer.inputs(source, means.signal) : undefined;
  if (inputs === undefined) return packBundle(source, isExcluded, bundleLimits, kind);
  const modules = await installDependencies(source, installer, inputs, means);
  const staging = await mkdtemp(join(tmpdir(), 'swiftlet-build-'));
  try {
    await copySources(source, staging, [installer.folder, ...installer.leftOut], isExcluded);
    // Links between packages lead where they led, now within the copy.
    await cp(modules, join(staging, installer.folder), { recursive: true, verbatimSymlinks: true });
    means.signal.throwIfAborted();
    return await packBundle(staging, isExcluded, bundleLimits, kind);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * By which runtime the platform can install what a function asks for; for a program by what its folder has.
 * @returns undefined when it asks for nothing
 */
export async function buildRuntime({ source, build, config: { runtime } }: Planned): Promise<BuildRuntimeName | undefined> {
  if (!build.install || runtime === 'java') return undefined;
  const language = languageOf(runtime);
  if (language !== 'python' && existsSync(join(source, lockfile))) return nodeRuntimeSchema.safeParse(runtime).data ?? defaultRuntime;
  return language !== 'nodejs' && (await asksPip(source)) ? 'python3' : undefined;
}

/** Other tools keep their settings in a pyproject.toml, too: then it asks for nothing. */
const asksPip = async (source: string): Promise<boolean> =>
  existsSync(join(source, requirementsFile)) ||
  (existsSync(join(source, projectFile)) && /^\s*dependencies\s*=/m.test(await readFile(join(source, projectFile), 'utf8')));

type Planned = Pick<PlannedFunction, 'source' | 'build' | 'config'>;

const packageSchema = z.object({ dependencies: z.record(z.string(), z.unknown()).default({}) });

/**
 * A function whose dependencies are nowhere would not start.
 * @throws SwiftletError ManifestInvalid with the remedy
 */
export async function demandDependencies({ source, build, config }: Planned): Promise<void> {
  if (languageOf(config.runtime) === 'python' || config.runtime === 'java') return;
  const place = join(source, 'package.json');
  if (!build.install || [lockfile, 'node_modules'].some((name) => existsSync(join(source, name))) || !existsSync(place)) return;
  const { dependencies } = await packageOf(place);
  const names = Object.keys(dependencies);
  if (names.length === 0) return;
  throw new SwiftletError(
    'ManifestInvalid',
    `${place} has dependencies (${names.slice(0, shownNames).join(', ')}), and there is no ${lockfile} to install them by; run "npm install --package-lock-only" in ${source}, or set "build: { install: never }" when the code goes without them`,
    { place },
  );
}

/** One that cannot be read says nothing: whoever loads or installs it tells what is wrong. */
async function packageOf(place: string): Promise<z.output<typeof packageSchema>> {
  try {
    return packageSchema.parse(JSON.parse(await readFile(place, 'utf8')));
  } catch {
    return { dependencies: {} };
  }
}

/** A function's own files, and what says which dependencies it has. @throws SwiftletError BundleRejected */
export async function packSources({ source, build }: PlannedFunction, runtime: BuildRuntimeName): Promise<PackedBundle> {
  const isExcluded = await bundleIgnore(source, build);
  const { makes } = installationOf(runtime);
  return packBundle(source, (path) => !installInputs.includes(path) && (path.startsWith(`${makes}/`) || isExcluded(path)));
}

const shownNames = 5;
const installInputs: readonly string[] = ['package.json', lockfile, requirementsFile, projectFile];

/** Copies what is not excluded, without the packages that are there for development. */
async function copySources(
  source: string,
  target: string,
  leftOut: readonly string[],
  isExcluded: (path: string) => boolean,
): Promise<void> {
  await cp(source, target, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => {
      const name = relative(source, path).split(sep).join('/');
      return name === '' || (!leftOut.includes(name.split('/')[0] ?? '') && !isExcluded(name));
    },
  });
}
