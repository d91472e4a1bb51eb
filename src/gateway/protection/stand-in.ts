import { randomUUID } from 'node:crypto';
import { type ErrorCode, SwiftletError } from '../../model/errors.ts';
import { invokeKind } from '../../wire/instance-protocol.ts';
import { functionKey } from '../../wire/published-state.ts';
import { Exchange } from '../request/exchange.ts';
import { fallbackFor } from './fallback.ts';
import type { Origin } from '../doors/origin.ts';
import { inLane } from '../routing/lane.ts';
import type { Serving } from '../instances/serving.ts';

/**
 * The same request, as an invocation of its own, for the function that answers in the place of one that cannot; undefined when that is not
 * its fallback, or there is no time left for it.
 * @param failed was not let in, or came to nothing
 */
export function standIn(
  failed: Exchange,
  code: ErrorCode,
  serving: Pick<Serving, 'choose' | 'find' | 'serves'>,
  now: number,
): Exchange | undefined {
  const { request, response, kind, target, sourceIp, bodyLength } = failed;
  if (failed.fallbackFor !== undefined || kind !== invokeKind.http || code === 'DeadlineExceeded') return undefined;
  const { guard, version } = failed.served;
  const fallback = fallbackFor(guard, request, code);
  if (fallback?.kind !== 'function') return undefined;
  const named = { key: functionKey(version.tenant, fallback.function), name: fallback.function };
  const way = inLane(named, serving.find(named.key)?.config.lanes, failed.origin.lane, (key) => serving.serves(key));
  if (way instanceof SwiftletError) return undefined;
  const wanted = way.key;
  // Which version of the one that cannot answer was asked for says nothing of this one's.
  const served = serving.choose(wanted, request.headers);
  if (served === undefined) return undefined;
  const until = now + served.version.config.queueTimeoutMs;
  const origin = originOf(failed, now);
  const other = new Exchange(request, response, randomUUID(), served, kind, target, sourceIp, bodyLength, now, until, wanted, origin);
  other.fallbackFor = code;
  return other;
}

/** As it was, with what is left of the caller's time. */
const originOf = ({ origin, callerDeadline }: Exchange, now: number): Origin =>
  callerDeadline === Number.POSITIVE_INFINITY ? origin : { ...origin, deadlineMs: Date.now() + callerDeadline - now };
