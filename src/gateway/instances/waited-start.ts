/** A cold start as it looks from a request that waited for it. Pure; nothing here is on the way of a warm request. */
import { type ColdPhases, lengthOf, type PhaseSpan, type StartTimes, toMicroseconds, totalMs, waitedPhases } from '../../model/phases.ts';

/** A start that has come to its end. */
export interface StartedInstance {
  readonly instanceId: string;
  /** The request that the instance was asked for. */
  readonly causedBy: string;
  readonly times: StartTimes;
  /** Some request has paid for it. */
  isPaid: boolean;
}

/** What of a start is the function's to pay, what the platform's, in milliseconds. */
export interface StartCost {
  /** User-code init. */
  readonly initMs: number;
  /** All phases before. */
  readonly platformMs: number;
}

export interface WaitedStart {
  readonly instanceId: string;
  readonly causedBy: string;
  /** Counted from the request's arrival: below 0 for what had begun before it came. */
  readonly spans: readonly PhaseSpan[];
  /** What of each phase it waited for: less than the whole for a request that came while the start was under way. */
  readonly waited: ColdPhases;
  readonly prepaid: ColdPhases;
  /** The start's whole length in `init`, whoever waited for it. */
  readonly initMs: number;
  /** A start is paid for once, by the first request that its instance serves; undefined for the others. */
  readonly cost: StartCost | undefined;
}

/**
 * What a request waited for. A start ends when its instance takes the first request, so that its phases lie just before that moment,
 * and what is before them was waited for in the queue.
 * @param waitMs from the request's arrival until it was handed to the instance
 */
export function waitFor(start: StartedInstance, waitMs: number): WaitedStart {
  const { instanceId, causedBy, times } = start;
  const last = times.spans.at(-1);
  const beganAt = waitMs - (last === undefined ? 0 : last.atMs + last.ms);
  const spans = times.spans.map(({ phase, atMs, ms }) => ({ phase, atMs: toMicroseconds(beganAt + atMs), ms }));
  const cost = start.isPaid ? undefined : costOf(times.spans);
  start.isPaid = true;
  return {
    instanceId,
    causedBy,
    spans,
    waited: waitedPhases(spans),
    prepaid: times.prepaid,
    initMs: lengthOf(spans, 'init'),
    cost,
  };
}

/** The same start, a little before: no more than the request waited for besides. */
export const earlier = (start: WaitedStart, ms: number): WaitedStart => ({
  ...start,
  spans: start.spans.map((span) => ({ ...span, atMs: toMicroseconds(span.atMs - ms) })),
});

function costOf(spans: readonly PhaseSpan[]): StartCost {
  const initMs = lengthOf(spans, 'init');
  return { initMs, platformMs: toMicroseconds(spans.reduce((sum, { ms }) => sum + ms, 0) - initMs) };
}

/** All that had been done ahead of a start; 0 for a request that another one paid for. */
export const prepaidMs = ({ prepaid, cost }: WaitedStart): number => (cost === undefined ? 0 : totalMs(prepaid));
