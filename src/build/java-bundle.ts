/** A function in Java as a bundle: its jar, its classes with their libraries, or sources that are compiled here. */
import { copyFile, cp, mkdtemp, rm, stat } from 'node:fs/promises';
import { existsSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { ArchiveKind } from '../model/artifact-format.ts';
import { SwiftletError } from '../model/errors.ts';
import { type PackedBundle, packBundle } from './bundle.ts';
import { type FolderFile, listFolder } from './bundle-folder.ts';
import { bundleIgnore } from './bundle-ignore.ts';
import { bundleLimits } from './bundle-limits.ts';
import { findJava } from './find-java.ts';
import type { PlannedFunction } from './plan.ts';
import { limitSeconds, runProgram } from './run-program.ts';

/** The oldest that functions run on, so that any host can. */
const release = '17';
const sourceEnding = '.java';
const saidLines = 10;
/** Who has one of them has a tool that knows what to compile against. */
const projects: Readonly<Record<string, string>> = {
  'pom.xml': 'mvn package',
  'build.gradle': 'gradle jar',
  'build.gradle.kts': 'gradle jar',
};

/** What a function in Java may name as its source, beside a folder. */
export const isJar = (path: string): boolean => path.endsWith('.jar') && existsSync(path);

/** @throws SwiftletError BundleRejected, or ManifestInvalid with what the compiler said; the signal's reason when it ends it */
export async function packJava({ source, build }: Planned, kind: ArchiveKind, signal: AbortSignal): Promise<PackedBundle> {
  if ((await stat(source)).isFile()) return inCopy((staging) => copyFile(source, join(staging, basename(source))), kind);
  const isExcluded = await bundleIgnore(source, build);
  const files = await listFolder(source, isExcluded);
  const sources = files.filter(({ name }) => name.endsWith(sourceEnding));
  if (sources.length === 0 || files.some(({ name }) => name.endsWith('.class'))) return packBundle(source, isExcluded, bundleLimits, kind);
  refuseProject(source);
  return inCopy(
    async (staging) => {
      const isPart = (path: string) => {
        const name = relative(source, path).split(sep).join('/');
        return name === '' || !(name.endsWith(sourceEnding) || isExcluded(name));
      };
      await cp(source, staging, { recursive: true, verbatimSymlinks: true, filter: isPart });
      await compile({ source, sources, jars: files.filter(({ name }) => name.endsWith('.jar')), allowed: build.scripts }, staging, signal);
    },
    kind,
    isExcluded,
  );
}

type Planned = Pick<PlannedFunction, 'source' | 'build'>;

async function inCopy(
  fill: (staging: string) => Promise<void>,
  kind: ArchiveKind,
  isExcluded?: (path: string) => boolean,
): Promise<PackedBundle> {
  const staging = await mkdtemp(join(tmpdir(), 'swiftlet-build-'));
  try {
    await fill(staging);
    return await packBundle(staging, isExcluded, bundleLimits, kind);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

function refuseProject(source: string): void {
  const [file, command] = Object.entries(projects).find(([name]) => existsSync(join(source, name))) ?? [];
  if (file === undefined) return;
  const place = join(source, file);
  const what = `the function is built by ${place}, and nothing is built yet; run "${command}" in ${source}, and name what it makes as "source", such as target/orders.jar`;
  throw new SwiftletError('ManifestInvalid', what, { place });
}

interface Compilation {
  readonly source: string;
  readonly sources: readonly FolderFile[];
  readonly jars: readonly FolderFile[];
  /** Whether processors of annotations may run, which are programs of libraries'. */
  readonly allowed: boolean;
}

async function compile({ source, sources, jars, allowed }: Compilation, target: string, signal: AbortSignal): Promise<void> {
  const path = jars.map((jar) => jar.source).join(':');
  const words = ['--release', release, '-g', '-encoding', 'UTF-8', ...(allowed ? [] : ['-proc:none']), '-cp', path, '-d', target];
  const ran = await runProgram(compiler(), [...words, ...sources.map(({ name }) => name)], { cwd: source, signal });
  if (ran.kind === 'missing')
    throw failure(source, 'there is no compiler here (apt-get install openjdk-17-jdk-headless); or deploy classes, or a jar');
  if (ran.kind === 'too slow') throw failure(source, `it took over ${limitSeconds} s`);
  if (ran.code !== 0) throw failure(source, ran.said.trim().split('\n').slice(0, saidLines).join('\n'));
}

/** Beside the Java that functions run on, where there is one. */
function compiler(): string {
  const java = findJava(process.env);
  const beside = java === undefined || !existsSync(java) ? '' : join(dirname(realpathSync(java)), 'javac');
  return existsSync(beside) ? beside : 'javac';
}

const failure = (place: string, why: string): SwiftletError =>
  new SwiftletError('ManifestInvalid', `the Java in ${place} cannot be compiled: ${why}`, { place });
