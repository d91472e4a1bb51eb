/** What a build's sandbox is shown: its programs, npm, and the headers of the runtimes, where every sandbox's user can read them. */
import { chmod, copyFile, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { build, stop } from 'esbuild';
import { packageFolder } from '../../role/package-folder.ts';
import { packageVersion } from '../../role/package-version.ts';
import { siblingModule } from '../../role/sibling-module.ts';
import type { Runtimes } from '../runtimes/installed-runtime.ts';
import { authoritiesFile, headersFolder, npmFolder } from './npm-command.ts';
import { allAuthoritiesFile, packagesProgram } from './pip-command.ts';

export interface BuilderOrder {
  /** Of the agent's own; made when it is missing. */
  readonly folder: string;
  readonly runtimes: Runtimes;
  /** A file with certificates that registries may be signed by; undefined: those that everybody knows are all. */
  readonly authorities: string | undefined;
}

/**
 * Copies npm and the headers once for each release of ours and of npm; the program is made anew.
 * @returns the folder to show
 * @throws Error when npm is not installed beside us, the certificates cannot be read, or the folder cannot be written
 */
export async function prepareBuilder({ folder, runtimes, authorities }: BuilderOrder): Promise<string> {
  const wanted = join(folder, `${packageVersion}-npm${npmVersion()}`);
  if (!existsSync(wanted)) await copyTo(wanted, folder, runtimes);
  await bundleProgram(join(wanted, 'boot.cjs'));
  await chmod(join(wanted, 'boot.cjs'), 0o644);
  // There is always one: an empty file adds nothing.
  const own = authorities === undefined ? '' : await readFile(authorities, 'utf8');
  await writeFile(join(wanted, authoritiesFile), own, { mode: 0o644 });
  // pip takes one file for all.
  await writeFile(join(wanted, allAuthoritiesFile), [...rootCertificates, own].join('\n'), { mode: 0o644 });
  await copyFile(join(packageFolder, 'runtimes', 'python', packagesProgram), join(wanted, packagesProgram));
  await chmod(join(wanted, packagesProgram), 0o644);
  return wanted;
}

/** Beside the place, and there at once: what a killed agent left is no half of it. */
async function copyTo(wanted: string, folder: string, runtimes: Runtimes): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const staging = await mkdtemp(join(folder, 'staging-'));
  await cp(npmPackage(), join(staging, npmFolder), { recursive: true, dereference: true });
  for (const [name, { headers }] of runtimes) {
    if (headers !== undefined) await cp(headers, join(staging, headersFolder, name, 'include'), { recursive: true, filter: isNeeded });
  }
  await makeReadable(staging);
  await rename(staging, wanted);
}

/** The headers of OpenSSL are ten times all others, and addons have no use for them. */
const isNeeded = (path: string): boolean => !path.endsWith('/openssl');

const npmPackage = (): string => dirname(createRequire(import.meta.url).resolve('npm/package.json'));

function npmVersion(): string {
  const { version } = JSON.parse(readFileSync(join(npmPackage(), 'package.json'), 'utf8')) as { version: string };
  return version;
}

async function bundleProgram(outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(siblingModule(import.meta.url, '../../build/inside/boot'))],
    outfile,
    bundle: true,
    platform: 'node',
    // What it never asks for: bundles in LZ4 are the deployer's choice.
    external: ['koffi'],
    target: 'node22',
    format: 'cjs',
    charset: 'utf8',
    logLevel: 'silent',
  });
  // Its process would live as long as this one.
  await stop();
}

/** npm may have been installed with a strict umask. */
async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeReadable(path);
    else await chmod(path, 0o755);
  }
}
