/** A runtime on this host, in a folder that any sandbox's user can read. */
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeName } from '../../model/runtimes.ts';
import type { RuntimeFiles } from '../sandbox/sandbox-driver.ts';

export interface InstalledRuntime extends RuntimeFiles {
  /** The folder with the interpreter's headers, for compiling addons; absent when it was installed without. */
  readonly headers?: string;
  /** The release line, where it is the host's. */
  readonly version?: string;
  /** Whether packages can be installed for it, where that is the interpreter's own. */
  readonly hasPip?: boolean;
}

/** The runtimes that are installed. One that is not is left out; asking for it fails with a remedy. */
export type Runtimes = ReadonlyMap<RuntimeName, InstalledRuntime>;

/** Every sandbox's user may read a folder's files from now on, and those in folders below. */
export function makeReadable(folder: string): void {
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) makeReadable(path);
    else chmodSync(path, 0o644);
  }
}
