/** The end of a request: what its caller is told, and what is learnt from it. */
import type { Logger } from 'pino';
import { type ErrorCode, errorKinds, isErrorCode, type SwiftletError } from '../../model/errors.ts';
import { observed, untried } from '../protection/circuit.ts';
import type { Exchange } from './exchange.ts';
import { sendProblem } from './reply.ts';
import type { Reports } from '../figures/reports.ts';
import { tally } from '../figures/tally.ts';

export interface SettleMeans {
  readonly reports: Reports;
  readonly log: Logger;
}

/**
 * @param isHandedOn another function answers its caller
 */
export function settle(exchange: Exchange, error: SwiftletError | undefined, isHandedOn: boolean, means: SettleMeans, now: number): void {
  exchange.state = 'settled';
  exchange.calls?.ended.abort();
  if (error !== undefined && exchange.abandoned === undefined && !isHandedOn) sendProblem(exchange, error);
  if (error?.code === 'Internal') means.log.error({ err: error, requestId: exchange.id }, 'a request failed for a mistake of ours');
  const outcome = exchange.abandoned ?? error?.code ?? 'ok';
  learn(exchange, outcome, now);
  tally(exchange, outcome, now);
  means.reports.record(exchange, outcome, now);
  exchange.trace?.end(exchange, outcome, now);
}

const serverError = 500;

/** For the circuit of its version, and for who estimates how long others will wait. */
function learn({ served, isProbe, dispatchedAt, head, openedAt }: Exchange, outcome: ErrorCode | 'ok', now: number): void {
  if (openedAt > 0) served.connections -= 1;
  else if (dispatchedAt > 0) {
    served.handlerMs.add(now - dispatchedAt);
    served.endedAt = now;
  }
  const { breaker } = served.version.config.protect;
  if (breaker === undefined) return;
  const hasFailed = isErrorCode(outcome) ? errorKinds[outcome].fault === 'function' : (head?.status ?? 0) >= serverError;
  if (served.circuit.kind === 'closed') served.circuit = observed(served.circuit, hasFailed, breaker, now);
  else if (isProbe) {
    const saysNothing = isErrorCode(outcome) && !hasFailed;
    served.circuit = saysNothing ? untried(served.circuit, now) : observed(served.circuit, hasFailed, breaker, now);
  }
}
