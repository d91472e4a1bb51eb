/** What the gateway's answer to a delivery means for the event. */
import { isUtf8 } from 'node:buffer';
import { errorKinds, isErrorCode } from '../model/errors.ts';
import type { EventError, EventResult } from '../wire/event-calls.ts';
import type { Outcome } from './decide.ts';
import { itemFailuresOf } from './item-failures.ts';

/** The gateway's answer, as far as it is kept. */
export interface DeliveryAnswer {
  readonly status: number;
  readonly contentType: string | undefined;
  /** What the platform says went wrong; a function cannot say it. */
  readonly platformError: string | undefined;
  readonly body: Buffer;
  readonly isTruncated: boolean;
}

/** They are the platform's for now: no function has seen the event. */
const throttles: readonly string[] = [
  'TooManyRequests',
  'QuotaExceeded',
  'RateLimited',
  'CircuitOpen',
  'DeadlineUnreachable',
  'QueueFull',
  'QueueTimeout',
  'HostFull',
  'Unavailable',
  'IsolationUnavailable',
];
/** From here on a function's own answer is a failure. */
const firstFailure = 500;

/** @param isServed whether the function exists, as far as this process knows: the gateway may not have heard of it yet */
export function outcomeOf(answer: DeliveryAnswer, isServed: boolean): Outcome {
  const { status, platformError } = answer;
  if (platformError !== undefined) return platformOutcome({ code: platformError, message: detailOf(answer) }, isServed);
  if (status < firstFailure) return { kind: 'answered', result: resultOf(answer) };
  return { kind: 'failed', error: { code: 'HandlerError', message: `the function answered with status ${status}` } };
}

/** Of an event that has items of a source: one that names some as failed has failed. */
export function itemsOutcome(outcome: Outcome): Outcome {
  if (outcome.kind !== 'answered') return outcome;
  const failures = itemFailuresOf(outcome.result, (item) => JSON.stringify(item));
  if (failures.kind === 'none') return outcome;
  const named: EventError = { code: 'HandlerError', message: 'the function named the message in "batchItemFailures"' };
  return { kind: 'failed', error: failures.kind === 'unclear' ? failures.error : named };
}

function platformOutcome(error: EventError, isServed: boolean): Outcome {
  if (throttles.includes(error.code)) return { kind: 'throttled', error };
  if (error.code === 'FunctionNotFound') return { kind: isServed ? 'throttled' : 'refused', error };
  const isCallers = isErrorCode(error.code) && errorKinds[error.code].fault === 'caller' && !errorKinds[error.code].retryable;
  return { kind: isCallers ? 'refused' : 'failed', error };
}

function resultOf({ status, contentType, body, isTruncated }: DeliveryAnswer): EventResult {
  const encoding = isUtf8(body) ? 'utf8' : 'base64';
  return { status, ...(contentType === undefined ? {} : { contentType }), body: body.toString(encoding), encoding, isTruncated };
}

function detailOf({ body, status }: DeliveryAnswer): string {
  try {
    const problem: unknown = JSON.parse(body.toString());
    if (typeof problem === 'object' && problem !== null && 'detail' in problem && typeof problem.detail === 'string') return problem.detail;
  } catch {
    // Said below, as for anything else that is no problem.
  }
  return `the gateway answered with status ${status}`;
}
