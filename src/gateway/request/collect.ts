/** Answers that go out whole, as those of AWS's function URLs in the mode BUFFERED: what comes in pieces is collected here. */
import { SwiftletError } from '../../model/errors.ts';
import { maxBodyBytes } from '../../model/limits.ts';
import { invokeKind } from '../../wire/instance-protocol.ts';
import { Backlog } from '../http/backlog.ts';
import type { ByteBudget } from '../http/byte-budget.ts';
import { HeldAnswer } from '../http/held-answer.ts';
import { giveCredit } from './credit.ts';
import type { Exchange } from './exchange.ts';
import { giveUp } from './time-limits.ts';

/** Whether nothing of an answer is sent before all of it is there. */
export const goesWhole = ({ served, kind, response, tunnel }: Exchange): boolean =>
  served.version.config.invokeMode === 'buffered' && kind === invokeKind.http && tunnel === undefined && !(response instanceof HeldAnswer);

/**
 * Takes a copy of a piece that is not the first one. Of an answer that is too long the caller is told so, and the function that nobody waits.
 * @param budget what answers may hold, until their callers have them
 */
export function collect(exchange: Exchange, piece: Buffer, budget: ByteBudget): void {
  const { tenant } = exchange.served.version;
  const refusal = exchange.sentBytes > maxBodyBytes ? tooLong : budget.take(tenant, piece.length) ? undefined : tooMuch;
  if (refusal !== undefined) {
    giveUp(exchange, new SwiftletError('ResponseTooLarge', refusal));
    giveCredit(exchange, piece.length);
    return;
  }
  if (exchange.collectedBytes === 0) exchange.response.once('close', () => budget.give(tenant, exchange.collectedBytes));
  exchange.collectedBytes += piece.length;
  exchange.backlog ??= new Backlog();
  exchange.backlog.add(piece);
  giveCredit(exchange, piece.length);
}

/** All of what was held and collected; undefined: nothing. */
export function wholeOf({ held, backlog }: Exchange): Buffer | undefined {
  const rest = backlog?.take();
  if (held === undefined || rest === undefined) return held ?? rest;
  return Buffer.concat([held, rest]);
}

const remedy = 'the function’s invokeMode is buffered, as of a function URL on AWS Lambda unless it says RESPONSE_STREAM';
const tooLong = `the answer is over ${maxBodyBytes} bytes, and is sent whole: ${remedy}`;
const tooMuch = `answers that are sent whole hold as much as they may already: ${remedy}`;
