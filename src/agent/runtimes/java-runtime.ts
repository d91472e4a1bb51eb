/** The host's Java, or a given one, and our runtime for it: compiled by it when the first function needs it, and kept. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SwiftletError } from '../../model/errors.ts';
import { packageFolder } from '../../role/package-folder.ts';
import { makeReadable } from './installed-runtime.ts';

export interface JavaRuntime {
  /** Names our runtime with the JVM that it is for: what was made with another one is of no use. Empty where there is none. */
  readonly stamp: string;
  /** The folder of its files; `ready` makes them. */
  readonly folder: string;
  /** Resolves when functions can be started on it. @throws SwiftletError RuntimeUnknown with the remedy */
  ready(): Promise<void>;
}

/** A JVM that functions can run on. */
export interface FoundJava {
  readonly java: string;
  /** As it names its own build. */
  readonly version: string;
  readonly major: number;
}

const oldest = 17;
const compileLimitMs = 120_000;
/** The jar is the same file whenever it is made: an archive of classes holds for one with its time alone. */
const madeAt = 946_684_800;
const remedy =
  'install a JDK of 17 or later (apt-get install openjdk-17-jdk-headless), or name its program by SWIFTLET_JAVA, and restart the platform';
const sources = join(packageFolder, 'runtimes', 'java');

/**
 * What is known of a Java without starting it.
 * @param program undefined: the host has none
 * @throws SwiftletError RuntimeUnknown with what is wrong
 */
export function inspectJava(program: string | undefined): FoundJava {
  if (program === undefined) throw unknown('this host has no Java');
  const java = realpathSync(program);
  const home = dirname(dirname(java));
  if (!java.startsWith('/usr/')) throw unknown(`${program} is not below /usr, which is what sandboxes have of the host`);
  const release = join(home, 'release');
  const said = existsSync(release) ? readFileSync(release, 'utf8') : '';
  const version = /^JAVA_VERSION="(.+)"$/m.exec(said)?.[1];
  const major = Number.parseInt(version ?? '', 10);
  if (version === undefined || Number.isNaN(major)) throw unknown(`${program} has no ${release} that says its version`);
  if (major < oldest) throw unknown(`${program} is Java ${version}; ${oldest} is the oldest that is served`);
  if (!existsSync(join(home, 'bin', 'javac'))) throw unknown(`${program} is a JRE, without the compiler that makes our runtime`);
  return { java, version: /^JAVA_RUNTIME_VERSION="(.+)"$/m.exec(said)?.[1] ?? version, major };
}

const unknown = (what: string): SwiftletError =>
  new SwiftletError('RuntimeUnknown', `functions in Java cannot run here: ${what}; ${remedy}`);

/** @param programs the folder of the runtime for programs, which every sandbox of one sees @param program absent: the host has none */
export function openJava(programs: string, program: string | undefined): JavaRuntime {
  const folder = join(programs, 'java');
  let found: FoundJava;
  try {
    found = inspectJava(program);
  } catch {
    // Whoever needs it is told why there is none.
    return { stamp: '', folder, ready: () => Promise.resolve().then(() => void inspectJava(program)) };
  }
  const stamp = stampOf(found);
  let made: Promise<void> | undefined;
  return {
    stamp,
    folder,
    ready: () => {
      made ??= make(folder, found, stamp).catch((error: unknown) => {
        made = undefined;
        throw error;
      });
      return made;
    },
  };
}

function stampOf({ version }: FoundJava): string {
  const sum = createHash('sha256').update(version);
  const files = readdirSync(sources, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const path of files.map((entry) => join(entry.parentPath, entry.name)).sort()) sum.update(readFileSync(path));
  return sum.digest('hex').slice(0, 16);
}

const settingsFile = 'java.json';
const jarFile = 'runtime.jar';

async function make(folder: string, { java, major }: FoundJava, stamp: string): Promise<void> {
  const settings = JSON.stringify({ java, major: String(major), stamp });
  const there = await readFile(join(folder, settingsFile), 'utf8').catch(() => undefined);
  if (there === settings) return;
  const staging = await mkdtemp(`${folder}.new-`);
  try {
    const jar = join(staging, jarFile);
    const classes = join(staging, 'classes');
    await mkdir(classes);
    await compile(java, ['-XX:TieredStopAtLevel=1', join(sources, 'Build.java'), join(sources, 'swiftlet'), classes, jar]);
    await rm(classes, { recursive: true });
    await utimes(jar, madeAt, madeAt);
    await writeFile(join(staging, settingsFile), settings);
    makeReadable(staging);
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function compile(java: string, words: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(java, words, { timeout: compileLimitMs, env: { LANG: 'C.UTF-8' } });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SwiftletError('RuntimeUnknown', `${java} cannot compile our runtime for it: ${why}; ${remedy}`, { cause: error });
  }
}
