import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

const isRoot = (): boolean => process.getuid?.() === 0;

/** The data folder: `SWIFTLET_HOME`, else where this system keeps such data. */
export function homeFolder(environment: NodeJS.ProcessEnv): string {
  const { SWIFTLET_HOME: wanted, XDG_DATA_HOME: data } = environment;
  if (wanted !== undefined && wanted !== '') return resolve(wanted);
  return isRoot() ? '/var/lib/swiftlet' : join(data ?? join(homedir(), '.local', 'share'), 'swiftlet');
}

/** Where what can be made again at any time is kept: installed dependencies, compiled code. */
export function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const { XDG_CACHE_HOME: cache } = environment;
  return join(cache !== undefined && isAbsolute(cache) ? cache : join(homedir(), '.cache'), 'swiftlet');
}

/** The folder for sockets, one for each data folder. Its path is short, since a socket's path may not be long. */
export function runFolder(home: string, environment: NodeJS.ProcessEnv): string {
  const id = homeId(home);
  if (isRoot()) return `/run/swiftlet/${id}`;
  return join(environment['XDG_RUNTIME_DIR'] ?? `/tmp/swiftlet-${process.getuid?.() ?? 0}`, 'swiftlet', id);
}

/** Eight hex digits that name a data folder. */
export const homeId = (home: string): string => createHash('sha256').update(resolve(home)).digest('hex').slice(0, 8);

/** The first token, readable by the one who started the platform. */
export const tokenFile = (home: string): string => join(home, 'token');

/** What wraps the keys of secrets, unless the operator keeps it elsewhere. */
export const rootKeyFile = (home: string): string => join(home, 'root-key');

/** With what a host without control asks control for certificates. */
export const hostCertificateFile = (home: string): string => join(home, 'host.pem');
