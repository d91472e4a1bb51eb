/** The tokens of callers: `swt_<id>_<secret>`. Only their hashes are stored and sent between roles. */
import { hash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { type Caller, grantSchema } from './rights.ts';

const idBytes = 8;
const secretBytes = 32;
const tokenPattern = /^swt_([0-9a-f]{16})_[\w-]{43}$/;
/** No token is longer; whatever is goes unread. A JWT may have some KiB. */
export const maxTokenLength = 16 * 1024;

export const tokenIdSchema = z.string().regex(/^[0-9a-f]{16}$/, 'a token’s id is 16 hexadecimal digits, as "swiftlet token list" shows it');

/** What gateways and the API know a token by. */
export const publishedTokenSchema = z.object({
  id: tokenIdSchema,
  /** SHA-256 of the token, in hex. */
  hash: z.string(),
  grant: grantSchema,
  expiresAt: z.iso.datetime().optional(),
});
export type PublishedToken = z.output<typeof publishedTokenSchema>;

/** A token made ready for comparing. */
export interface KnownToken {
  readonly published: PublishedToken;
  readonly hash: Buffer;
  /** Milliseconds since 1970; infinite for one without an end. */
  readonly expiresMs: number;
  readonly caller: Caller;
}

export const knownToken = (published: PublishedToken): KnownToken => ({
  published,
  hash: Buffer.from(published.hash, 'hex'),
  expiresMs: published.expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(published.expiresAt),
  caller: { id: published.id, kind: 'token', grants: [published.grant] },
});

/** @param random gives so many random bytes @returns a new token: the one moment at which it is there in the clear */
export function newToken(random: (bytes: number) => Buffer): { readonly id: string; readonly token: string; readonly hash: string } {
  const id = random(idBytes).toString('hex');
  const token = `swt_${id}_${random(secretBytes).toString('base64url')}`;
  return { id, token, hash: hashOf(token).toString('hex') };
}

/** The id that a token claims to have; undefined for what is no token of ours. */
export const claimedId = (token: string): string | undefined => tokenPattern.exec(token)?.[1];

export const hashOf = (token: string): Buffer => hash('sha256', token, 'buffer');

/** In a time that tells nothing about them. */
export const isSameHash = (one: Buffer, other: Buffer): boolean => one.length === other.length && timingSafeEqual(one, other);
