/**
 * Access keys: tokens as tools for AWS write them, in two parts. `swt_<id>_<secret>` is the key `SWLT<ID>` with that secret, so that what a
 * token may do, until when, and that it is revoked, is said once for both.
 */
import { createHmac } from 'node:crypto';

const keyPattern = /^SWLT([0-9A-F]{16})$/;
const dayCharacters = 8;
/** Signatures of requests that are signed ahead are good for a week at most, so that keys of days that are over are needed, too. */
const daysBefore = 8;
/** For so long a gateway goes on while control is away. */
const daysAhead = 8;
const dayMs = 86_400_000;

/** @param tokenId as lists have it */
export const accessKeyIdOf = (tokenId: string): string => `SWLT${tokenId.toUpperCase()}`;

/** The token that an access key claims to be; undefined for what is no key of ours. */
export const claimedTokenId = (accessKeyId: string): string | undefined => keyPattern.exec(accessKeyId)?.[1]?.toLowerCase();

/** The secret part of a token that was just made. */
export const secretOf = (token: string): string => token.slice(token.indexOf('_', 'swt_'.length) + 1);

/** A day as signatures name it: `20260131`, in UTC. */
export const signatureDayOf = (ms: number): string => new Date(ms).toISOString().replaceAll('-', '').slice(0, dayCharacters);

/** What signatures of one day are verified with. Who has it can sign on that day, and on no other: the secret does not follow from it. */
export const dayKeyOf = (secret: string, day: string): Buffer => createHmac('sha256', `AWS4${secret}`).update(day).digest();

/** The days whose signatures may come from now on, until a gateway is told more. */
export const signatureDays = (nowMs: number): string[] =>
  Array.from({ length: daysBefore + daysAhead + 1 }, (_, at) => signatureDayOf(nowMs + (at - daysBefore) * dayMs));
