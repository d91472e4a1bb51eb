/** Where the runtimes lie on this host, in folders that any sandbox's user can read. */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SwiftletError } from '../model/errors.ts';
import { type RuntimeName, runtimeNames } from '../model/runtimes.ts';
import { packageFolder } from '../role/package-folder.ts';
import { bundleRuntime } from './bundle-runtime.ts';
import type { RuntimeFiles } from './sandbox/sandbox-driver.ts';

const packages: Readonly<Record<RuntimeName, string>> = { nodejs22: 'nodejs22-linux', nodejs24: 'nodejs24-linux', nodejs26: 'node-linux' };
const readableByAll = 0o005;

/** The runtimes that are installed. One that is not is left out; asking for it fails with a remedy. */
export type Runtimes = ReadonlyMap<RuntimeName, RuntimeFiles>;

/**
 * Finds the interpreters among the installed packages and puts the runtime's own code where every sandbox may read it: a checkout
 * may lie in a folder that only its owner can enter, or be written with a strict umask.
 * @param folder of the agent's own; made when it is missing
 */
export async function prepareRuntimes(folder: string): Promise<Runtimes> {
  mkdirSync(folder, { recursive: true });
  const code = join(folder, 'node');
  await bundleRuntime(join(packageFolder, 'runtimes', 'node'), code);
  makeReadable(code);
  const require = createRequire(import.meta.url);
  const found = new Map<RuntimeName, RuntimeFiles>();
  for (const name of runtimeNames) {
    const binFolder = findBin(require, `${packages[name]}-${process.arch}`);
    if (binFolder !== undefined) found.set(name, { binFolder: readableBin(binFolder, join(folder, name)), folder: code });
  }
  return found;
}

export function runtimeFiles(runtimes: Runtimes, name: RuntimeName): RuntimeFiles {
  const files = runtimes.get(name);
  if (files === undefined) {
    throw new SwiftletError(
      'RuntimeUnknown',
      `runtime "${name}" is not installed on this host; reinstall Swiftlet with its optional dependencies (npm install --include=optional)`,
    );
  }
  return files;
}

function findBin(require: NodeJS.Require, name: string): string | undefined {
  try {
    return join(dirname(realpathSync(require.resolve(`${name}/package.json`))), 'bin');
  } catch {
    return undefined;
  }
}

function readableBin(binFolder: string, copy: string): string {
  if ((statSync(join(binFolder, 'node')).mode & readableByAll) === readableByAll) return binFolder;
  mkdirSync(copy, { recursive: true });
  copyFileSync(join(binFolder, 'node'), join(copy, 'node'));
  chmodSync(join(copy, 'node'), 0o755);
  return copy;
}

function makeReadable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644);
}
