/** What lies under `/_/`: the platform's own. */
import { createHash, timingSafeEqual } from 'node:crypto';

const invokePrefix = '/invoke/';
const eventPrefix = '/events/';

/** Where the state of an event is. */
export const eventPath = (id: string): string => `/_${eventPrefix}${id}`;

export type PlatformPath =
  | { readonly kind: 'health' }
  | { readonly kind: 'invoke'; readonly name: string }
  | { readonly kind: 'event'; readonly id: string }
  | { readonly kind: 'unknown' };

/** @param path what follows `/_` */
export function platformPath(path: string): PlatformPath {
  if (path === '/health') return { kind: 'health' };
  if (path.startsWith(invokePrefix)) return { kind: 'invoke', name: path.slice(invokePrefix.length) };
  if (path.startsWith(eventPrefix)) return { kind: 'event', id: path.slice(eventPrefix.length) };
  return { kind: 'unknown' };
}

/** Whether an Authorization header carries one of these tokens. @param hashes SHA-256 in hex */
export function isAuthorised(authorization: string | undefined, hashes: readonly string[]): boolean {
  if (authorization === undefined || authorization.slice(0, 7).toLowerCase() !== 'bearer ') return false;
  const given = createHash('sha256').update(authorization.slice(7)).digest();
  return hashes.some((hash) => timingSafeEqual(given, Buffer.from(hash, 'hex')));
}
