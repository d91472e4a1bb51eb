/** How long a request may take in all, as its caller says it, and whether it can be answered in that time. Pure. */
import { SwiftletError } from '../../model/errors.ts';

/** For how long the caller waits, from when the gateway has the request: `1500ms`, `2s`, or a number of milliseconds. */
export const timeoutHeader = 'x-swiftlet-timeout';
const longestMs = 24 * 3_600_000;
const pattern = /^(\d{1,9})(ms|s)?$/;

/** @returns milliseconds; infinite when the caller says nothing */
export function clientTimeoutMs(header: string | readonly string[] | undefined): number | SwiftletError {
  if (header === undefined) return Number.POSITIVE_INFINITY;
  const [, digits, unit] = pattern.exec(String(header)) ?? [];
  const ms = Number(digits) * (unit === 's' ? 1_000 : 1);
  if (digits !== undefined && ms > 0 && ms <= longestMs) return ms;
  return new SwiftletError('BadRequest', `${timeoutHeader} is how long the caller waits: 1500ms, 2s, or a number of milliseconds`, {
    place: timeoutHeader,
  });
}

/**
 * How long there is for a request: its caller waits no longer, or what called it has no more time itself.
 * @param leftMs to what called it; infinite when nothing did
 */
export function callerTimeMs(header: string | readonly string[] | undefined, leftMs: number): number | SwiftletError {
  const saidMs = clientTimeoutMs(header);
  return saidMs instanceof SwiftletError ? saidMs : Math.max(0, Math.min(saidMs, leftMs));
}

export interface Backlogged {
  /** Requests before this one. */
  readonly waiting: number;
  /** Instances that take them; no more can be started. */
  readonly instances: number;
  readonly slots: number;
  /** How long a request takes on average; undefined while nobody knows. */
  readonly meanMs: number | undefined;
}

/** How long a request would wait behind others for an instance, as far as it can be told: 0 when it cannot. */
export const expectedWaitMs = ({ waiting, instances, slots, meanMs }: Backlogged): number =>
  meanMs === undefined || instances === 0 ? 0 : (Math.floor(waiting / (instances * slots)) + 1) * meanMs;
