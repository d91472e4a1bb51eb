/** What native addons are compiled with: programs of the host, whose /usr every build is shown. */
import { isExecutable } from '../linux/is-executable.ts';

/** As node-gyp and make call them, and the packages that Debian has them in. */
const packageOf: Readonly<Record<string, string>> = { python3: 'python3', make: 'make', cc: 'gcc', 'g++': 'g++' };
/** What a build has on its PATH of the host. */
const folders = ['/usr/local/bin', '/usr/bin'];

export interface CompilersReport {
  /** Programs that addons are compiled with. */
  readonly programs: readonly string[];
  /** Those that this host has not. */
  readonly missing: readonly string[];
  /** What to do so that it has them; only when some are missing. */
  readonly remedy?: string;
}

/** @param isThere whether there is such a program */
export function inspectCompilers(isThere: (path: string) => boolean = isExecutable): CompilersReport {
  const programs = Object.keys(packageOf);
  const missing = programs.filter((program) => !folders.some((folder) => isThere(`${folder}/${program}`)));
  if (missing.length === 0) return { programs, missing };
  return { programs, missing, remedy: `as root: apt-get install -y ${missing.map((program) => packageOf[program]).join(' ')}` };
}
