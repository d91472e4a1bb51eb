import { createHash, timingSafeEqual } from 'node:crypto';

/** The token of an `Authorization` header, or undefined when it carries none. */
export function bearerToken(header: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(header ?? '')?.[1];
}

/** Whether a token is one of those whose SHA-256 is given, in a time that tells nothing about them. */
export function isKnownToken(token: string, hashes: readonly string[]): boolean {
  const given = createHash('sha256').update(token).digest();
  let known = false;
  for (const hash of hashes) {
    const expected = Buffer.from(hash, 'hex');
    // No early end: which of them it was is nobody's business.
    if (expected.length === given.length && timingSafeEqual(expected, given)) known = true;
  }
  return known;
}
