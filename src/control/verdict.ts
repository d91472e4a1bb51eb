/**
 * Whether a new version does worse than the one before it. Pure.
 *
 * Shares (of requests that failed, of requests that were slow) are compared by the z-test for two proportions, pooled and one-sided:
 * NIST/SEMATECH e-Handbook of Statistical Methods, 7.3.3. A new version is worse when its share lies more than 4 standard errors above
 * the other's, which chance alone does at one look in 30,000; rollouts are looked at every half second, so less would not do.
 * What is significant may still be small: both comparisons also demand a difference that matters to somebody.
 */
import { type VersionCounts, watchBoundsMs } from '../wire/gateway-calls.ts';

/** Below so many requests nothing is said about a version; and of what went wrong there must be so many, for the normal distribution to hold. */
export const leastRequests = 30;
const leastBad = 5;
/** For times more: requests that a host's one stall holds up are slow together, and are no sample of the version. */
const leastTimed = 100;
const leastSlow = 10;
const standardErrors = 4;
/** Errors: so much more of all requests. */
const errorMargin = 0.01;
/** Errors of a version that there is nothing to compare with. */
const toleratedErrors = 0.05;
/** Times: the new 95th percentile is over so many times the old one, and over it by so much. */
const slowerBy = 1.25;
const slowerByMs = 10;
const percentile = 0.95;

export type Verdict =
  /** Too few requests to say anything. */
  { readonly kind: 'unproven' } | { readonly kind: 'good' } | { readonly kind: 'worse'; readonly reason: string };

/** @param before undefined or nearly nothing when the version before gets no requests: then only errors are judged, by themselves */
export function judge(next: VersionCounts, before: VersionCounts | undefined): Verdict {
  if (next.requests < leastRequests) return { kind: 'unproven' };
  const compared = before !== undefined && before.requests >= leastRequests;
  const reason = compared ? (moreErrors(next, before) ?? slower(next, before)) : tooManyErrors(next);
  return reason === undefined ? { kind: 'good' } : { kind: 'worse', reason };
}

function moreErrors(next: VersionCounts, before: VersionCounts): string | undefined {
  const rise = next.errors / next.requests - before.errors / before.requests;
  if (next.errors < leastBad || rise <= errorMargin || zScore(next.errors, next.requests, before.errors, before.requests) <= standardErrors)
    return undefined;
  return `${failed(next)}, but only ${failed(before)}`;
}

function tooManyErrors(next: VersionCounts): string | undefined {
  if (next.errors < leastBad || lowerBound(next.errors, next.requests) <= toleratedErrors) return undefined;
  return `${failed(next)}; with no other version at work, ${100 * toleratedErrors} % are tolerated`;
}

function slower(next: VersionCounts, before: VersionCounts): string | undefined {
  if (next.requests < leastTimed) return undefined;
  const usual = bucketAt(before, percentile);
  const usualMs = watchBoundsMs[usual] ?? Number.POSITIVE_INFINITY;
  const slow = watchBoundsMs.findIndex((bound) => bound >= Math.max(slowerBy * usualMs, usualMs + slowerByMs));
  if (slow < 0) return undefined;
  const [over, overBefore] = [above(next, slow), above(before, slow)];
  if (over < leastSlow || bucketAt(next, percentile) <= slow) return undefined;
  if (zScore(over, next.requests, overBefore, before.requests) <= standardErrors) return undefined;
  return `95 % of the requests to version ${before.version} were answered within ${rounded(usualMs)} ms, of those to version ${next.version} only ${rounded(100 * (1 - over / next.requests))} % within ${rounded(watchBoundsMs[slow] ?? 0)} ms (${next.requests} requests)`;
}

/** Standard errors by which the first share lies above the second; 0 when both are all or nothing. */
export function zScore(bad: number, of: number, badBefore: number, ofBefore: number): number {
  const pooled = (bad + badBefore) / (of + ofBefore);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / ofBefore));
  return error === 0 ? 0 : (bad / of - badBefore / ofBefore) / error;
}

/** What a share is at least: the lower end of Wilson's score interval (1927; NIST/SEMATECH e-Handbook, 7.2.4.1). */
export function lowerBound(bad: number, of: number): number {
  const [share, z2] = [bad / of, standardErrors ** 2];
  const centre = share + z2 / (2 * of);
  const spread = standardErrors * Math.sqrt((share * (1 - share)) / of + z2 / (4 * of ** 2));
  return (centre - spread) / (1 + z2 / of);
}

/** The bucket in which a share of the times is reached, from the shortest on. */
function bucketAt({ times, requests }: VersionCounts, share: number): number {
  let sum = 0;
  const at = times.findIndex((count) => (sum += count) >= share * requests);
  return at < 0 ? times.length : at;
}

/** Requests that took longer than a bucket's bound. */
const above = ({ times }: VersionCounts, bucket: number): number => times.slice(bucket + 1).reduce((sum, count) => sum + count, 0);

const failed = ({ version, errors, requests }: VersionCounts): string =>
  `${errors} of ${requests} requests to version ${version} failed (${rounded((100 * errors) / requests)} %)`;

const rounded = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1));
