/** What becomes of an event after an attempt. Pure: the time and the chance are given. */
import type { AsyncConfig } from '../model/function.ts';
import type { EventError, EventResult, FailureReason } from '../wire/event-calls.ts';
import type { Settlement } from './event-log.ts';

/** How an attempt went. */
export type Outcome =
  | { readonly kind: 'answered'; readonly result: EventResult }
  /** It has, or may have, reached the function. */
  | { readonly kind: 'failed'; readonly error: EventError }
  /** It has not reached the function; a later one may. */
  | { readonly kind: 'throttled'; readonly error: EventError }
  /** It has not reached the function, and none ever will. */
  | { readonly kind: 'refused'; readonly error: EventError };

/** What is known of the event. */
export interface Tried {
  readonly attempts: number;
  readonly sinceMs: number;
}

export type Policy = Pick<AsyncConfig, 'retries' | 'backoffMs' | 'maximumAgeMs' | 'onFailure'>;

const longestBackoffMs = 3_600_000;
const firstPauseMs = 200;
const longestPauseMs = 30_000;

/** The pause after so many attempts: doubled each time, up to an hour, or what was configured if that is more. */
export const retryDelayMs = (attempts: number, backoffMs: number): number =>
  Math.min(backoffMs * 2 ** (attempts - 1), Math.max(backoffMs, longestBackoffMs));

/**
 * How long a function that could not be reached so many times in a row is left alone.
 * @param chance from 0 to 1: those who were refused together do not come back together
 */
export const throttlePauseMs = (streak: number, chance: number): number =>
  Math.min(firstPauseMs * 2 ** Math.max(0, streak - 1), longestPauseMs) * (0.5 + chance / 2);

export const isTooOld = ({ sinceMs }: Tried, { maximumAgeMs }: Policy, nowMs: number): boolean => nowMs - sinceMs >= maximumAgeMs;

/** The end of an event that grew too old before anybody tried it once more. */
export function expire(tried: Tried, policy: Policy, nowMs: number): Settlement {
  const message = `the event is older than its maximum age of ${policy.maximumAgeMs} ms; redrive it, or raise "async.maximumAge"`;
  return ended(tried.attempts, policy, nowMs, 'age', { code: 'EventExpired', message });
}

/**
 * Decides after an attempt.
 * @param againMs when it may be tried again if it was throttled
 */
export function decide(tried: Tried, outcome: Outcome, policy: Policy, nowMs: number, againMs: number): Settlement {
  switch (outcome.kind) {
    case 'answered':
      return { kind: 'succeeded', attempts: tried.attempts + 1, atMs: nowMs, result: outcome.result };
    case 'refused':
      return ended(tried.attempts, policy, nowMs, 'refused', outcome.error);
    case 'throttled':
      return later(tried, tried.attempts, policy, nowMs, againMs, outcome.error);
    case 'failed': {
      const attempts = tried.attempts + 1;
      if (attempts > policy.retries) return ended(attempts, policy, nowMs, 'attempts', outcome.error);
      return later(tried, attempts, policy, nowMs, nowMs + retryDelayMs(attempts, policy.backoffMs), outcome.error);
    }
  }
}

function later({ sinceMs }: Tried, attempts: number, policy: Policy, nowMs: number, dueMs: number, error: EventError): Settlement {
  // It would be too old by then: it ends now, with what went wrong.
  if (dueMs - sinceMs >= policy.maximumAgeMs) return ended(attempts, policy, nowMs, 'age', error);
  return { kind: 'waiting', attempts, dueMs: Math.ceil(dueMs), error };
}

const ended = (attempts: number, { onFailure }: Policy, atMs: number, reason: FailureReason, error: EventError): Settlement => ({
  kind: onFailure === 'discard' ? 'discarded' : 'dead-lettered',
  attempts,
  atMs,
  reason,
  error,
});
