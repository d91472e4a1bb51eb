/** Where the runtimes lie on this host, in folders that any sandbox's user can read. */
import { mkdirSync } from 'node:fs';
import { SwiftletError } from '../../model/errors.ts';
import { type Language, languageOf, type RuntimeName } from '../../model/runtimes.ts';
import { prepareNode } from './node-runtimes.ts';
import { preparePrograms } from './program-runtimes.ts';
import { preparePython } from './python-runtime.ts';
import type { InstalledRuntime, Runtimes } from './installed-runtime.ts';

const reinstall = 'reinstall Swiftlet with its optional dependencies (npm install --include=optional)';
const remedies: Readonly<Record<Language, string>> = {
  nodejs: reinstall,
  program: reinstall,
  python: 'install Python 3.9 or later (apt-get install python3), or name one by SWIFTLET_PYTHON, and restart the platform',
};

/** What may be there beside what Swiftlet brings along. */
export interface HostRuntimes {
  /** A Python interpreter; absent: functions in Python are not served. */
  readonly python?: string | undefined;
  /** Told why one is left out. */
  readonly warn?: (message: string) => void;
}

/**
 * Finds the interpreters and puts the runtimes' own code where every sandbox may read it: a checkout may lie in a folder that only its
 * owner can enter, or be written with a strict umask.
 * @param folder of the agent's own; made when it is missing
 */
export async function prepareRuntimes(folder: string, { python, warn = () => undefined }: HostRuntimes = {}): Promise<Runtimes> {
  mkdirSync(folder, { recursive: true });
  const node = new Map(await prepareNode(folder));
  const others = await Promise.all([preparePrograms(folder, node), preparePython(folder, python, warn)]);
  return new Map([...node, ...others.flat()]);
}

export function runtimeFiles(runtimes: Runtimes, name: RuntimeName): InstalledRuntime {
  const files = runtimes.get(name);
  if (files === undefined) {
    throw new SwiftletError('RuntimeUnknown', `runtime "${name}" is not installed on this host; ${remedies[languageOf(name)]}`);
  }
  return files;
}
