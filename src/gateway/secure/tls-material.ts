/** The gateway's certificate for its callers, which lies in a file that the supervisor writes anew when the operator's files change. */
import { readFileSync } from 'node:fs';
import type { Server } from 'node:tls';
import type { Logger } from 'pino';

const lookEveryMs = 1_000;

/** Certificate, its chain, and key, in one file. */
export const readMaterial = (path: string): { readonly cert: string; readonly key: string } => {
  const pem = readFileSync(path, 'utf8');
  return { cert: pem, key: pem };
};

/** New connections have what the file says now; those that are open keep what they have. */
export function followMaterial(server: Pick<Server, 'setSecureContext'>, path: string, log: Pick<Logger, 'error' | 'info'>): Disposable {
  let known = readMaterial(path).cert;
  const looking = setInterval(() => {
    try {
      const now = readMaterial(path);
      if (now.cert === known) return;
      known = now.cert;
      server.setSecureContext(now);
      log.info('the certificate for callers was renewed');
    } catch (error) {
      log.error({ err: error }, 'the renewed certificate for callers cannot be used; the one before is kept');
    }
  }, lookEveryMs);
  return { [Symbol.dispose]: () => clearInterval(looking) };
}
