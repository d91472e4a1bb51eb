/** What an invocation's outcome means for the messages of its batch. Pure: the time is given. */
import type { SourceConfig } from '../../model/source.ts';
import type { EventError } from '../../wire/event-calls.ts';
import { type Outcome, retryDelayMs } from '../decide.ts';
import { type IdOfItem, itemFailuresOf } from '../item-failures.ts';
import type { Waiting } from './batch.ts';

/** What becomes of one message. */
export type Verdict =
  | { readonly kind: 'done' }
  | { readonly kind: 'dead'; readonly attempts: number; readonly error: EventError }
  | { readonly kind: 'again'; readonly attempts: number; readonly dueMs: number; readonly isAlone: boolean };

export type AttemptPolicy = Pick<SourceConfig, 'attempts' | 'backoffMs' | 'order'>;

const reportedFailed: EventError = { code: 'HandlerError', message: 'the function named it in "batchItemFailures"' };

/**
 * @param batch in its order
 * @returns for each message of the batch, in its order
 */
export function verdictsOf(
  batch: readonly Waiting[],
  outcome: Outcome,
  policy: AttemptPolicy,
  idOfItem: IdOfItem,
  nowMs: number,
): Verdict[] {
  switch (outcome.kind) {
    case 'answered': {
      const failures = itemFailuresOf(outcome.result, idOfItem);
      if (failures.kind === 'none') return batch.map(() => done);
      if (failures.kind === 'unclear') return batch.map((one) => failed(one, failures.error, policy, nowMs));
      return byReport(batch, failures.ids, policy, nowMs);
    }
    case 'failed':
      return batch.map((one) => failed(one, outcome.error, policy, nowMs));
    case 'throttled':
      return batch.map(({ attempts, isAlone }) => ({ kind: 'again', attempts, dueMs: nowMs, isAlone }));
    case 'refused':
      // Together they were too large for a request; each alone may not be.
      if (outcome.error.code === 'RequestTooLarge' && batch.length > 1)
        return batch.map(({ attempts }) => ({ kind: 'again', attempts, dueMs: nowMs, isAlone: true }));
      return batch.map(({ attempts }) => ({ kind: 'dead', attempts, error: outcome.error }));
  }
}

const done: Verdict = { kind: 'done' };

function failed({ attempts: before, isAlone }: Waiting, error: EventError, policy: AttemptPolicy, nowMs: number): Verdict {
  const attempts = before + 1;
  if (attempts >= policy.attempts) return { kind: 'dead', attempts, error };
  return { kind: 'again', attempts, dueMs: nowMs + retryDelayMs(attempts, policy.backoffMs), isAlone };
}

/** Those named failed; in an order, those behind one that failed are handed out again after it, and no attempt of theirs counts. */
function byReport(batch: readonly Waiting[], ids: ReadonlySet<string>, policy: AttemptPolicy, nowMs: number): Verdict[] {
  if ([...ids].some((id) => !batch.some(({ message }) => message.id === id))) {
    const error = { code: 'InvalidResponse', message: 'the function named messages in "batchItemFailures" that are not in its batch' };
    return batch.map((one) => failed(one, error, policy, nowMs));
  }
  const heldUp = new Set<string>();
  return batch.map((one) => {
    const line = lineOf(one, policy);
    const hasFailed = ids.has(one.message.id);
    if (line !== undefined && heldUp.has(line)) return { kind: 'again', attempts: one.attempts, dueMs: nowMs, isAlone: one.isAlone };
    if (!hasFailed) return done;
    const verdict = failed(one, reportedFailed, policy, nowMs);
    if (line !== undefined && verdict.kind === 'again') heldUp.add(line);
    return verdict;
  });
}

/** What a message is in line with; undefined when it is in no order. */
function lineOf({ message: { key } }: Waiting, { order }: AttemptPolicy): string | undefined {
  if (order === 'none') return undefined;
  return order === 'partition' ? '' : key === undefined ? undefined : `key ${key}`;
}
