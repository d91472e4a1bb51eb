/** The times that a request may take: to get an instance, in its handler, and to send or take the next byte. */
import { type ErrorCode, SwiftletError } from '../../model/errors.ts';
import { clientIdleMs } from '../../model/limits.ts';
import { cancel } from './dispatch.ts';
import type { Exchange } from './exchange.ts';
import { callerTimeOver, queueTimeout, timeLimitExceeded } from './failures.ts';
import type { InstanceLink } from '../instances/instance-link.ts';
import { sendProblem } from './reply.ts';

/** What is done about a request whose time is over. */
export interface TimeLimitMeans {
  settle(exchange: Exchange, error: SwiftletError): void;
  discard(link: InstanceLink, code: ErrorCode, detail: string): void;
}

/** Ends a request whose time is over. */
export function enforceTimeLimits(exchange: Exchange, now: number, means: TimeLimitMeans): void {
  if (now >= exchange.callerDeadline) tooLateForCaller(exchange, means);
  else if (now >= exchange.deadline) expire(exchange, means);
  else if (exchange.stalledSince !== 0 && now - exchange.stalledSince > clientIdleMs) cutOff(exchange);
}

/** The caller's answer is decided; what the instance still does for it holds its slot until it is done. */
export function giveUp(exchange: Exchange, error: SwiftletError): void {
  cancel(exchange);
  exchange.abandoned = error.code;
  sendProblem(exchange, error);
}

/** The function may still have time: what it does goes on until that is over, too. */
function tooLateForCaller(exchange: Exchange, means: TimeLimitMeans): void {
  const error = callerTimeOver(exchange);
  exchange.callerDeadline = Number.POSITIVE_INFINITY;
  const { timeoutMs, queueTimeoutMs } = exchange.served.version.config;
  exchange.deadline = exchange.state === 'dispatched' ? exchange.dispatchedAt + timeoutMs : exchange.arrivedAt + queueTimeoutMs;
  if (exchange.state === 'waiting') means.settle(exchange, error);
  else if (exchange.abandoned === undefined) giveUp(exchange, error);
}

function expire(exchange: Exchange, means: TimeLimitMeans): void {
  const { link, served } = exchange;
  switch (exchange.state) {
    case 'waiting':
      means.settle(exchange, queueTimeout(served));
      break;
    case 'ahead':
      if (exchange.abandoned === undefined) giveUp(exchange, queueTimeout(served));
      break;
    case 'dispatched': {
      const error = timeLimitExceeded(served.version);
      link?.streams.delete(exchange.stream);
      if (link !== undefined) means.discard(link, 'Timeout', error.message);
      means.settle(exchange, error);
      break;
    }
    case 'settled':
  }
}

/** A caller that neither sends nor takes has had its time. */
function cutOff(exchange: Exchange): void {
  exchange.stalledSince = 0;
  const isSending = !exchange.request.complete;
  if (isSending && !exchange.headSent)
    giveUp(exchange, new SwiftletError('RequestTimeout', `the request's body stopped coming for ${clientIdleMs} ms`));
  else exchange.response.destroy();
}
