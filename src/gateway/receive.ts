/** An answer's way from its instance to the caller. Budget: 3 µs for an answer that comes in one piece. */
import { SwiftletError } from '../model/errors.ts';
import { clientIdleMs } from '../model/limits.ts';
import { encodeFrame } from '../wire/frames.ts';
import { frame, initialCreditBytes, type InvocationFailure } from '../wire/instance-protocol.ts';
import { takeRequestCredit } from './dispatch.ts';
import type { Exchange } from './exchange.ts';
import { isBodiless, sendHead } from './reply.ts';
import { checkHead } from './response-head.ts';

/** What a frame means for the exchange beyond what was done here. */
export type Verdict =
  | { readonly kind: 'goesOn' }
  /** The instance is done with it. */
  | { readonly kind: 'done' }
  /** The instance is done with it, and it failed. */
  | { readonly kind: 'failed'; readonly error: SwiftletError; readonly failure?: InvocationFailure }
  /** The instance speaks another language than we do. */
  | { readonly kind: 'broken'; readonly error: SwiftletError };

const goesOn: Verdict = { kind: 'goesOn' };
const isDone: Verdict = { kind: 'done' };
const doneBytes = 8;
const microseconds = 1000;
const kibibytes = 1024;
const creditFromBytes = initialCreditBytes / 4;

export function receive(exchange: Exchange, type: number, payload: Buffer): Verdict {
  switch (type) {
    case frame.head:
      return takeHead(exchange, payload);
    case frame.responseBody:
      return takeBody(exchange, payload);
    case frame.done:
      return takeDone(exchange, payload);
    case frame.failed:
      return takeFailure(exchange, payload);
    case frame.requestCredit:
      takeRequestCredit(exchange, payload);
      return goesOn;
    default:
      return broken(`a frame of type ${type}`);
  }
}

function takeHead(exchange: Exchange, payload: Buffer): Verdict {
  if (exchange.head !== undefined) return broken('a second head');
  try {
    exchange.head = checkHead(payload);
    return goesOn;
  } catch (error) {
    return error instanceof SwiftletError ? { kind: 'broken', error } : broken('a head that cannot be read');
  }
}

function takeBody(exchange: Exchange, payload: Buffer): Verdict {
  if (exchange.head === undefined) return broken('a body before its head');
  exchange.sentBytes += payload.length;
  exchange.responseCredit -= payload.length;
  if (exchange.responseCredit < 0) return broken('more of a body than it was given credit for');
  if (payload.length === 0) return goesOn;
  if (exchange.abandoned !== undefined || isBodiless(exchange, exchange.head.status)) giveCredit(exchange, payload.length);
  else if (!exchange.headSent && exchange.held === undefined) exchange.held = payload;
  else {
    flushHeld(exchange);
    pass(exchange, payload);
  }
  return goesOn;
}

/** Sends what was held back in the hope that the answer would be whole: it is not. */
export function flushHeld(exchange: Exchange): void {
  if (exchange.head === undefined || exchange.abandoned !== undefined || exchange.state !== 'dispatched') return;
  if (!exchange.headSent) {
    exchange.handlerMs = performance.now() - exchange.dispatchedAt;
    sendHead(exchange, exchange.head.contentLength);
    if (exchange.held === undefined) exchange.response.flushHeaders();
  }
  const { held } = exchange;
  exchange.held = undefined;
  if (held !== undefined) pass(exchange, held);
}

function pass(exchange: Exchange, bytes: Buffer): void {
  if (exchange.response.write(bytes)) {
    giveCredit(exchange, bytes.length);
    return;
  }
  exchange.owedCredit += bytes.length;
  if (exchange.stalledSince !== 0) return;
  exchange.stalledSince = performance.now();
  exchange.response.once('drain', () => {
    exchange.stalledSince = 0;
    giveCredit(exchange, 0);
  });
}

/** Gives back credit for bytes that the caller has taken, once it is worth a frame: who sends single bytes gets no frame for each. */
function giveCredit(exchange: Exchange, bytes: number): void {
  exchange.owedCredit += bytes;
  if (exchange.owedCredit < creditFromBytes) return;
  const credit = Buffer.allocUnsafe(4);
  credit.writeUInt32BE(exchange.owedCredit, 0);
  exchange.responseCredit += exchange.owedCredit;
  exchange.owedCredit = 0;
  exchange.link?.write(encodeFrame(frame.responseCredit, exchange.stream, credit));
}

function takeDone(exchange: Exchange, payload: Buffer): Verdict {
  // What was cancelled before it began ends without an answer.
  if (exchange.head === undefined && exchange.abandoned !== undefined) return isDone;
  if (exchange.head === undefined || payload.length !== doneBytes) return broken('an end without a beginning');
  exchange.handlerMs = payload.readUInt32BE(0) / microseconds;
  exchange.memoryMiB = payload.readUInt32BE(4) / kibibytes;
  if (exchange.abandoned !== undefined) return isDone;
  const { held, response } = exchange;
  exchange.held = undefined;
  if (
    exchange.headSent &&
    exchange.head.contentLength !== undefined &&
    exchange.sentBytes < exchange.head.contentLength &&
    !isBodiless(exchange, exchange.head.status)
  ) {
    return { kind: 'failed', error: new SwiftletError('InvalidResponse', 'the function sent less than the content-length it announced') };
  }
  sendHead(exchange, held?.length ?? 0);
  if (held === undefined) response.end();
  else response.end(held);
  // Nothing else watches whether the caller takes the rest; node:http ends a socket that moves nothing between two looks.
  if (!response.writableFinished && response.writableLength > 0) response.setTimeout(clientIdleMs);
  return isDone;
}

function takeFailure(exchange: Exchange, payload: Buffer): Verdict {
  const failure = parseFailure(payload);
  const { version } = exchange.served;
  // What went wrong inside is for the function's author, who has the log; the caller may be anybody.
  const error =
    failure.code === 'InvalidResponse' || failure.code === 'ResponseTooLarge'
      ? new SwiftletError(failure.code, `function "${version.function}": ${failure.message}`)
      : new SwiftletError(
          'HandlerError',
          `function "${version.function}" threw ${failure.type}; its log has the message and the stack under this request id`,
        );
  return { kind: 'failed', error, failure };
}

const maxTypeCharacters = 200;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function parseFailure(payload: Buffer): InvocationFailure {
  try {
    const value = JSON.parse(payload.toString()) as Partial<Record<keyof InvocationFailure, unknown>> | null;
    return { code: text(value?.code), type: text(value?.type).slice(0, maxTypeCharacters) || 'Error', message: text(value?.message) };
  } catch {
    return { code: 'HandlerError', type: 'Error', message: '' };
  }
}

const broken = (what: string): Verdict => ({
  kind: 'broken',
  error: new SwiftletError('InvalidResponse', `the function's process sent ${what}; it was replaced`),
});
