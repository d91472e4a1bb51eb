/** A role's certificate, which lies in a file that its supervisor writes anew before it ends. */
import { readFileSync } from 'node:fs';
import type { Logger } from 'pino';
import { HeldCredentials } from './held-credentials.ts';
import { certificateOf } from './material.ts';

const lookEveryMs = 1_000;

export interface FollowedCredentials extends Disposable {
  readonly credentials: HeldCredentials;
}

/** Where the supervisor puts a role's certificate: in the folder that only the role, and root, can look into. */
export const certificateFileOf = (run: string, role: string): string => `${run}/${role}/certificate.pem`;

/**
 * Reads the file, and again whenever it has changed. What cannot be read leaves what is known in force, and is logged.
 * @throws SwiftletError BadRequest, or the system's error, when it cannot be read at first
 */
export function followCredentials(path: string, log: Pick<Logger, 'error'>): FollowedCredentials {
  let known = readFileSync(path, 'utf8');
  const credentials = new HeldCredentials(certificateOf(known, path));
  const look = () => {
    try {
      const now = readFileSync(path, 'utf8');
      if (now === known) return;
      known = now;
      credentials.replace(certificateOf(now, path));
    } catch (error) {
      log.error({ err: error }, 'the renewed certificate cannot be used; the one before is kept');
    }
  };
  const looking = setInterval(look, lookEveryMs);
  return { credentials, [Symbol.dispose]: () => clearInterval(looking) };
}
