/**
 * Whether requests go to a version that fails. Pure: closed while it does well enough, open for a while when it does not, then half open:
 * one request goes through, and what becomes of it decides.
 */
import type { BreakerConfig } from '../../model/protection.ts';

export type Circuit =
  /** Requests and failures of this window and of the one before it: together they are between one and two windows. */
  | { readonly kind: 'closed'; readonly sinceMs: number; readonly now: Tally; readonly before: Tally }
  /** Nothing goes through. @see Circuit `failures` of tries in a row */
  | { readonly kind: 'open'; readonly untilMs: number; readonly failures: number }
  /** One request is through, since then. */
  | { readonly kind: 'half-open'; readonly sinceMs: number; readonly failures: number };

interface Tally {
  readonly requests: number;
  readonly failures: number;
}

const none: Tally = { requests: 0, failures: 0 };
const percent = 100;
/** Each try that fails doubles the pause, up to so many times. */
const mostDoublings = 4;

export const closedAt = (sinceMs: number): Circuit => ({ kind: 'closed', sinceMs, now: none, before: none });

/** What a request finds. `probe` is what the circuit is when this request goes through as the one that tries. */
export type Passage =
  | { readonly kind: 'pass' }
  | { readonly kind: 'probe'; readonly circuit: Circuit }
  | { readonly kind: 'refused'; readonly retryAfterMs: number };

const passes: Passage = { kind: 'pass' };

/** @param probeLimitMs after it, one that tries and has not ended is given up */
export function passage(circuit: Circuit, probeLimitMs: number, nowMs: number): Passage {
  if (circuit.kind === 'closed') return passes;
  const waitsUntilMs = circuit.kind === 'open' ? circuit.untilMs : circuit.sinceMs + probeLimitMs;
  if (nowMs < waitsUntilMs) return { kind: 'refused', retryAfterMs: waitsUntilMs - nowMs };
  return { kind: 'probe', circuit: { kind: 'half-open', sinceMs: nowMs, failures: circuit.failures } };
}

/** What the end of a request makes of it. */
export function observed(circuit: Circuit, hasFailed: boolean, config: BreakerConfig, nowMs: number): Circuit {
  switch (circuit.kind) {
    case 'half-open':
      return hasFailed ? opened(circuit.failures + 1, config, nowMs) : closedAt(nowMs);
    case 'open':
      // One that began before.
      return circuit;
    case 'closed': {
      const { sinceMs, now, before } = moved(circuit, config.windowMs, nowMs);
      const tally = { requests: now.requests + 1, failures: now.failures + (hasFailed ? 1 : 0) };
      const requests = tally.requests + before.requests;
      const isBad = requests >= config.leastRequests && (tally.failures + before.failures) * percent >= config.errorPercent * requests;
      return isBad && hasFailed ? opened(0, config, nowMs) : { kind: 'closed', sinceMs, now: tally, before };
    }
  }
}

/** A request that tried came to nothing that says anything of the version: the next one tries. */
export const untried = (circuit: Circuit, nowMs: number): Circuit =>
  circuit.kind === 'half-open' ? { kind: 'open', untilMs: nowMs, failures: circuit.failures } : circuit;

const opened = (failures: number, { openMs }: BreakerConfig, nowMs: number): Circuit => ({
  kind: 'open',
  untilMs: nowMs + openMs * 2 ** Math.min(failures, mostDoublings),
  failures,
});

type Closed = Extract<Circuit, { kind: 'closed' }>;

function moved(circuit: Closed, windowMs: number, nowMs: number): Closed {
  const windows = Math.floor((nowMs - circuit.sinceMs) / windowMs);
  if (windows === 0) return circuit;
  return { kind: 'closed', sinceMs: circuit.sinceMs + windows * windowMs, now: none, before: windows === 1 ? circuit.now : none };
}
