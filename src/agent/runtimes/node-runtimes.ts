/** The release lines of Node.js that are installed as packages, and our runtime for them. */
import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { type NodeRuntimeName, nodeRuntimeNames, type RuntimeName } from '../../model/runtimes.ts';
import { packageFolder } from '../../role/package-folder.ts';
import { type BesideBoot, bundleRuntime } from './bundle-runtime.ts';
import { type InstalledRuntime, makeReadable } from './installed-runtime.ts';
import { inside } from '../sandbox/sandbox-driver.ts';

const packages: Readonly<Record<NodeRuntimeName, string>> = {
  nodejs22: 'nodejs22-linux',
  nodejs24: 'nodejs24-linux',
  nodejs26: 'node-linux',
};
const readableByAll = 0o005;
/** Loaded as files of their own: as a function's are, see runtimes/node/prepare.mjs; and by the few functions that need them. */
export const besideBoot: BesideBoot = {
  copied: ['functions-framework.cjs', 'rehearsal.cjs', 'rehearsal.mjs'],
  bundled: ['alibaba-form.mjs', 'google-form.mjs', 'tencent-form.mjs', 'web-socket.mjs'],
};

/** @param folder of the agent's own, which exists @returns those that are installed */
export async function prepareNode(folder: string): Promise<[RuntimeName, InstalledRuntime][]> {
  const code = join(folder, 'node');
  await bundleRuntime(join(packageFolder, 'runtimes', 'node'), code, besideBoot);
  makeReadable(code);
  const require = createRequire(import.meta.url);
  return nodeRuntimeNames.flatMap((name): [RuntimeName, InstalledRuntime][] => {
    const installed = findBin(require, `${packages[name]}-${process.arch}`);
    if (installed === undefined) return [];
    const source = readableBin(installed, join(folder, name));
    const shown = { source, target: inside.binFolder };
    const headers = join(dirname(installed), 'include');
    const files = { language: 'nodejs', interpreter: join(source, 'node'), shown, folder: code } as const;
    return [[name, existsSync(headers) ? { ...files, headers } : files]];
  });
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
