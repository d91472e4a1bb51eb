/** Control's own certificate: made here, renewed here, and only ever in memory. */
import type { Logger } from 'pino';
import { HeldCredentials } from '../../role/certificates/held-credentials.ts';
import { renewAtMs } from '../../role/certificates/validity.ts';
import type { Authority } from './authority.ts';

const lookEveryMs = 1_000;
const host = 'control';

export interface KeptCertificate extends Disposable {
  readonly credentials: HeldCredentials;
}

export async function keepOwnCertificate(authority: Authority, lifeMs: number, now: () => number, log: Logger): Promise<KeptCertificate> {
  const make = () => authority.make({ role: 'control', host, lifeMs });
  const credentials = new HeldCredentials(await make());
  let renewing: Promise<void> | undefined;
  const renew = async () => {
    try {
      credentials.replace(await make());
    } catch (error) {
      log.error({ err: error }, 'control’s own certificate could not be renewed');
    }
    renewing = undefined;
  };
  const looking = setInterval(() => {
    if (now() >= renewAtMs(credentials.current.shown)) renewing ??= renew();
  }, lookEveryMs);
  return { credentials, [Symbol.dispose]: () => clearInterval(looking) };
}
