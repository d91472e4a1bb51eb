/** An answer's way from its instance to the caller. Budget: 3 µs for an answer that comes in one piece. */
import { SwiftletError } from '../../model/errors.ts';
import { clientIdleMs } from '../../model/limits.ts';
import { bodyChunkBytes } from '../../wire/frames.ts';
import { frame, type InvocationFailure } from '../../wire/instance-protocol.ts';
import { Backlog } from '../http/backlog.ts';
import type { ByteBudget } from '../http/byte-budget.ts';
import { tidyCors } from '../http/cors.ts';
import { takeChunk } from '../http/chunks.ts';
import { endWhole } from '../http/end-whole.ts';
import { openTunnel } from '../web-socket/open-tunnel.ts';
import { collect, goesWhole, wholeOf } from './collect.ts';
import { giveCredit } from './credit.ts';
import { takeRequestCredit } from './dispatch.ts';
import type { Exchange } from './exchange.ts';
import { isBodiless, sendHead } from './reply.ts';
import { isPlainGet } from '../protection/last-good.ts';
import { checkHead, type ResponseHeadChecked } from '../http/response-head.ts';
import type { Tunnel } from '../web-socket/tunnel.ts';
import { earlier, type WaitedStart } from '../instances/waited-start.ts';

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
const switchingProtocols = 101;
const doneBytes = 8;
const microseconds = 1000;
const maxU32 = 0xffff_ffff;
const kibibytes = 1024;
/** A piece below this is copied rather than written on its own. */
const smallBytes = 2048;

/**
 * @param payload in memory that is used again once this returns
 * @param budget what answers that go out whole may hold
 */
export function receive(exchange: Exchange, type: number, payload: Buffer, budget: ByteBudget): Verdict {
  switch (type) {
    case frame.head:
      return takeHead(exchange, payload);
    case frame.responseBody:
      return takeBody(exchange, payload, budget);
    case frame.done:
      return takeDone(exchange, payload);
    case frame.failed:
      return takeFailure(exchange, payload);
    case frame.requestCredit:
      if (exchange.tunnel === undefined) takeRequestCredit(exchange, payload);
      else exchange.tunnel.takeCredit(payload);
      return goesOn;
    default:
      return broken(`a frame of type ${type}`);
  }
}

function takeHead(exchange: Exchange, payload: Buffer): Verdict {
  if (exchange.head !== undefined) return broken('a second head');
  try {
    const head = checkHead(payload);
    const isTaken = head.status === switchingProtocols;
    if (isTaken && exchange.offer === undefined) return broken('status 101, which nobody asked for');
    exchange.head = head;
    if (isTaken && exchange.offer !== undefined && exchange.abandoned === undefined)
      openTunnel(exchange, exchange.offer, head.headers, performance.now());
    return goesOn;
  } catch (error) {
    return error instanceof SwiftletError ? { kind: 'broken', error } : broken('a head that cannot be read');
  }
}

function takeBody(exchange: Exchange, payload: Buffer, budget: ByteBudget): Verdict {
  if (exchange.head === undefined) return broken('a body before its head');
  if (payload.length === 0) return broken('a piece of a body that is empty');
  exchange.responseCredit -= payload.length;
  // Without this, what a caller does not read would pile up here.
  if (exchange.responseCredit < 0) return broken('more of a body than it was let');
  exchange.sentBytes += payload.length;
  if (exchange.announcedBytes !== undefined && exchange.sentBytes > exchange.announcedBytes)
    return broken('more than the content-length it announced');
  if (exchange.tunnel !== undefined && exchange.abandoned === undefined) exchange.tunnel.write(payload);
  else if (exchange.abandoned !== undefined || isBodiless(exchange, exchange.head.status)) giveCredit(exchange, payload.length);
  else if (!exchange.headSent && exchange.held === undefined) exchange.held = Buffer.from(payload);
  else if (goesWhole(exchange)) collect(exchange, payload, budget);
  else {
    flushHeld(exchange);
    pass(exchange, payload);
  }
  return goesOn;
}

/** Sends what was held back in the hope that the answer would be whole: it is not. */
export function flushHeld(exchange: Exchange): void {
  if (exchange.head === undefined || exchange.abandoned !== undefined || exchange.state !== 'dispatched') return;
  if (goesWhole(exchange)) return;
  if (!exchange.headSent) {
    exchange.handlerMs = performance.now() - exchange.dispatchedAt;
    announce(exchange, exchange.head.contentLength);
    if (exchange.held === undefined) flushHead(exchange, exchange.head.status);
  }
  const { held } = exchange;
  exchange.held = undefined;
  if (held !== undefined) pass(exchange, held);
}

/** The head alone. What node:http flushes by itself it writes as UTF-8, where a header's characters are bytes. */
function flushHead(exchange: Exchange, status: number): void {
  if (isBodiless(exchange, status)) exchange.response.flushHeaders();
  else exchange.response.write('', 'latin1');
}

/** A length that is wrong already is not passed on: what came after it would be taken for the next answer. */
function announce(exchange: Exchange, length: number | undefined): void {
  exchange.announcedBytes = length === undefined || length < exchange.sentBytes ? undefined : length;
  sendHead(exchange, exchange.announcedBytes);
}

function pass(exchange: Exchange, bytes: Buffer): void {
  if (bytes.length >= smallBytes) flushBacklog(exchange);
  if (exchange.owedCredit === 0 && bytes.length >= smallBytes) {
    written(exchange, bytes.length, writeCopy(exchange.response, bytes));
    return;
  }
  exchange.backlog ??= new Backlog();
  if (exchange.backlog.add(bytes) === bytes.length) process.nextTick(flushBacklog, exchange);
}

/** Small pieces that came together leave together. */
function flushBacklog(exchange: Exchange): void {
  if (exchange.owedCredit > 0 || exchange.response.writableEnded) return;
  const bytes = exchange.backlog?.take();
  if (bytes !== undefined) written(exchange, bytes.length, exchange.response.write(bytes));
}

/** @param isTaken whether the caller took them at once; else it is waited for */
function written(exchange: Exchange, length: number, isTaken: boolean): void {
  if (isTaken) {
    giveCredit(exchange, length);
    return;
  }
  exchange.owedCredit = length;
  if (exchange.stalledSince === 0) exchange.stalledSince = performance.now();
  exchange.response.once('drain', () => goOn(exchange));
}

/**
 * Writes bytes whose memory is used again once this returns. What a caller does not take holds no more than twice its bytes: a chunk is
 * for what fills at least half of it.
 */
function writeCopy(response: Exchange['response'], bytes: Buffer): boolean {
  if (bytes.length < bodyChunkBytes / 2 || bytes.length > bodyChunkBytes) return response.write(Buffer.from(bytes));
  const chunk = takeChunk();
  return response.write(chunk.fill(bytes), chunk.release);
}

/** The caller has taken what was written: it gets what came meanwhile. */
function goOn(exchange: Exchange): void {
  // It may still be its turn to send.
  exchange.stalledSince = exchange.request.complete || exchange.request.isPaused() ? 0 : performance.now();
  const owed = exchange.owedCredit;
  exchange.owedCredit = 0;
  giveCredit(exchange, owed);
  flushBacklog(exchange);
}

function takeDone(exchange: Exchange, payload: Buffer): Verdict {
  // What was cancelled before it began ends without an answer.
  if (exchange.head === undefined && exchange.abandoned !== undefined) return isDone;
  if (exchange.head === undefined || payload.length !== doneBytes) return broken('an end without a beginning');
  exchange.handlerMs = handlerMsIn(payload, exchange.dispatchedAt);
  exchange.memoryMiB = payload.readUInt32BE(4) / kibibytes;
  if (exchange.tunnel !== undefined) return takeEnd(exchange, exchange.tunnel);
  if (exchange.waitedStart !== undefined) correct(exchange, exchange.waitedStart);
  if (exchange.abandoned !== undefined) return isDone;
  const { response } = exchange;
  if (exchange.served.guard.lastGood !== undefined) keepGood(exchange, exchange.head);
  const held = wholeOf(exchange);
  exchange.held = undefined;
  if (
    exchange.headSent &&
    exchange.announcedBytes !== undefined &&
    exchange.sentBytes < exchange.announcedBytes &&
    !isBodiless(exchange, exchange.head.status)
  ) {
    return { kind: 'failed', error: new SwiftletError('InvalidResponse', 'the function sent less than the content-length it announced') };
  }
  sendHead(exchange, held?.length ?? 0);
  if (held === undefined) response.end();
  else endWhole(response, held);
  // Nothing else watches whether the caller takes the rest; node:http ends a socket that moves nothing between two looks.
  if (!response.writableFinished && response.writableLength > 0) response.setTimeout(clientIdleMs);
  return isDone;
}

function takeEnd(exchange: Exchange, tunnel: Tunnel): Verdict {
  exchange.handlerMs = performance.now() - exchange.dispatchedAt;
  tunnel.end();
  return isDone;
}

/** What an instance says of it ends after an hour; what takes longer is measured here. */
function handlerMsIn(payload: Buffer, dispatchedAt: number): number {
  const said = payload.readUInt32BE(0);
  return said === maxU32 ? performance.now() - dispatchedAt : said / microseconds;
}

const noBody = Buffer.alloc(0);

/** Only an answer that came in one piece is kept: nothing is collected for it. */
function keepGood(
  { request, target, headSent, held, collectedBytes, served, fallbackFor }: Exchange,
  { status, headers }: ResponseHeadChecked,
): void {
  if (headSent || collectedBytes > 0 || fallbackFor !== undefined || !isPlainGet(request.method, request.headers)) return;
  const kept = [...headers];
  const { cors } = served.version.config;
  if (cors !== undefined) tidyCors(cors, kept);
  served.guard.lastGood?.keep(target, {
    status,
    headers: kept,
    body: held === undefined ? noBody : Buffer.from(held),
    atMs: performance.now(),
  });
}

/**
 * What was sent ahead begins without the agent, whose word that the instance is ready may come later, or after the end: the handler began
 * its own time before its end at the latest, and the start had ended by then.
 */
function correct(exchange: Exchange, start: WaitedStart): void {
  const lateMs = Math.min(exchange.queueMs, exchange.dispatchedAt + exchange.handlerMs - performance.now());
  if (lateMs <= 0) return;
  exchange.queueMs -= lateMs;
  exchange.waitedStart = earlier(start, lateMs);
}

function takeFailure(exchange: Exchange, payload: Buffer): Verdict {
  const failure = parseFailure(payload);
  const { version } = exchange.served;
  // What went wrong inside is for the function's author, who has the log; the caller may be anybody.
  const error = isTold(failure.code)
    ? new SwiftletError(failure.code, `function "${version.function}": ${failure.message}`)
    : new SwiftletError(
        'HandlerError',
        `function "${version.function}" threw ${failure.type}; its log has the message and the stack under this request id`,
        { cause: failure },
      );
  return { kind: 'failed', error, failure };
}

/** Whether what a runtime says of it is for everybody. */
const isTold = (code: string): code is 'InvalidResponse' | 'ResponseTooLarge' | 'WebSocketUnsupported' =>
  code === 'InvalidResponse' || code === 'ResponseTooLarge' || code === 'WebSocketUnsupported';

const maxTypeCharacters = 200;
const maxMessageCharacters = 2_000;
const maxStackCharacters = 16 * 1024;
const maxPayloadCharacters = 256 * 1024;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function parseFailure(payload: Buffer): InvocationFailure {
  try {
    const value = JSON.parse(payload.toString()) as Partial<Record<keyof InvocationFailure, unknown>> | null;
    const [type, message] = [text(value?.type).slice(0, maxTypeCharacters), text(value?.message).slice(0, maxMessageCharacters)];
    const stack = text(value?.stack).slice(0, maxStackCharacters);
    const said = text(value?.payload);
    return {
      code: text(value?.code),
      type: type || 'Error',
      message,
      stack: stack === '' ? undefined : stack,
      payload: said === '' || said.length > maxPayloadCharacters ? undefined : said,
    };
  } catch {
    return { code: 'HandlerError', type: 'Error', message: '' };
  }
}

const broken = (what: string): Verdict => ({
  kind: 'broken',
  error: new SwiftletError('InvalidResponse', `the function's process sent ${what}; it was replaced`),
});
