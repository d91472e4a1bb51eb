/** The host's Python, or a given one, and our runtime for it. */
import { execFile } from 'node:child_process';
import { cpSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { RuntimeName } from '../../model/runtimes.ts';
import { packageFolder } from '../../role/package-folder.ts';
import { type InstalledRuntime, makeReadable } from './installed-runtime.ts';

/** What `runtimes/python/install.py` says of the interpreter that runs it. */
const installedSchema = z.object({
  version: z.tuple([z.int(), z.int()]),
  /** The folder with the interpreter and its library. */
  prefix: z.string().refine(isAbsolute),
  interpreter: z.string().refine(isAbsolute),
  /** Whether it can install packages. */
  pip: z.boolean().default(false),
});

const oldest = [3, 9] as const;
const installLimitMs = 60_000;
/** Sandboxes have something of their own there, so that no folder of the host can be shown. */
const takenFolders = ['/tmp', '/proc', '/dev', '/etc', '/opt', '/var/task', '/var/runtime', '/var/lang'];

/**
 * Puts the runtime's code where every sandbox may read it, compiled by this interpreter.
 * @param folder of the agent's own, which exists
 * @param python absent: the host has none
 * @param warn told why the runtime is left out
 */
export async function preparePython(
  folder: string,
  python: string | undefined,
  warn: (message: string) => void,
): Promise<[RuntimeName, InstalledRuntime][]> {
  if (python === undefined) return [];
  const code = join(folder, 'python');
  // Modules that have not changed need not be compiled again.
  cpSync(join(packageFolder, 'runtimes', 'python'), code, { recursive: true, preserveTimestamps: true });
  try {
    const arguments_ = ['-I', '-S', '-X', 'utf8', join(code, 'install.py'), code];
    const { stdout } = await promisify(execFile)(python, arguments_, { timeout: installLimitMs });
    const installed = installedSchema.parse(JSON.parse(stdout));
    const { prefix, interpreter, pip, version } = installed;
    const fault = faultOf(installed);
    if (fault !== undefined) {
      warn(`${python} is left out: ${fault}`);
      return [];
    }
    makeReadable(code);
    const shown = isVisible(prefix) ? {} : { shown: { source: prefix, target: prefix } };
    const files = { language: 'python', interpreter, folder: code, ...shown } as const;
    return [['python3', { ...files, version: version.join('.'), hasPip: pip }]];
  } catch (error) {
    warn(`${python} is left out: it cannot run our runtime: ${error instanceof Error ? error.message : String(error)}`);
    return [];
  }
}

/** Every sandbox has the host's /usr. */
const isVisible = (prefix: string): boolean => prefix === '/usr' || prefix.startsWith('/usr/');

function faultOf({ version: [major, minor], prefix, interpreter }: z.output<typeof installedSchema>): string | undefined {
  if (major !== oldest[0] || minor < oldest[1]) return `it is Python ${major}.${minor}; ${oldest.join('.')} is the oldest that is served`;
  const taken = takenFolders.find((folder) => prefix === folder || prefix.startsWith(`${folder}/`));
  if (taken !== undefined || prefix === '/')
    return `it is installed in ${prefix}, where sandboxes have something of their own; install it below /usr/local`;
  if (!interpreter.startsWith(`${prefix}/`))
    return `its library is in ${prefix}, and ${interpreter} lies elsewhere; name the interpreter in there`;
  return undefined;
}
