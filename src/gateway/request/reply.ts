/** What the caller gets: the function's answer, or problem details. Budget for a small answer: one writeHead and one end. */
import { retryAfter, type SwiftletError, toProblem } from '../../model/errors.ts';
import { Http2Response } from '../secure/http2-response.ts';
import { coldPhases, totalMs } from '../../model/phases.ts';
import { failureIn } from '../../wire/carried-failure.ts';
import { deliveryHeaders } from '../../wire/delivery.ts';
import { HeldAnswer } from '../http/held-answer.ts';
import { tidyCors } from '../http/cors.ts';
import { threeDecimals } from '../http/decimal.ts';
import { endGently } from '../http/end-gently.ts';
import type { Exchange } from './exchange.ts';
import { fallbackHeader, substituteFor, writeSubstitute } from '../protection/fallback.ts';
import { bodyLengthOf } from '../http/request-headers.ts';
import type { WaitedStart } from '../instances/waited-start.ts';

const bodilessStatuses = new Set([204, 205, 304]);

export const isBodiless = (exchange: Exchange, status: number): boolean =>
  exchange.request.method === 'HEAD' || bodilessStatuses.has(status);

/** Sends the head, with the length when it is known. */
export function sendHead(exchange: Exchange, length: number | undefined): void {
  const { head, response } = exchange;
  if (head === undefined || exchange.headSent) return;
  exchange.headSent = true;
  const { status, headers } = head;
  if (exchange.request.method === 'HEAD' && head.contentLength !== undefined) headers.push('content-length', String(head.contentLength));
  else if (length !== undefined && !bodilessStatuses.has(status)) headers.push('content-length', String(length));
  const { cors } = exchange.served.version.config;
  if (cors !== undefined) tidyCors(cors, headers);
  addPlatformHeaders(exchange, headers);
  response.writeHead(status, headers);
}

/** @throws nothing; a caller that is gone gets nothing */
export function sendProblem(exchange: Exchange, error: SwiftletError): void {
  const { response } = exchange;
  if (response.destroyed) return;
  if (exchange.headSent && !(response instanceof HeldAnswer && response.takeBack())) {
    // The caller has half an answer: only a broken connection tells it so.
    if (exchange.tunnel === undefined) response.destroy();
    else exchange.tunnel.end();
    return;
  }
  exchange.headSent = true;
  const headers: string[] = [];
  addPlatformHeaders(exchange, headers);
  // What is left of the request's body is not waited for.
  const close = !exchange.request.complete;
  if (exchange.origin.tellsFailure === true) {
    writeProblem(response, error, exchange.id, headers, close, { failure: failureIn(error) });
    return;
  }
  const substitute = substituteFor(exchange.served.guard, exchange.request, exchange.target, error, performance.now());
  if (substitute === undefined) {
    writeProblem(response, error, exchange.id, headers, close);
    return;
  }
  if (close) closeAfter(response, headers);
  writeSubstitute(response, substitute, error, headers);
}

/**
 * Answers with problem details a request that no instance is asked for.
 * @param version of the function that it is for, if it is for one
 * @param told more members, for a caller who may know more than anybody
 */
export function refuse(
  request: Exchange['request'],
  response: Exchange['response'],
  id: string,
  error: SwiftletError,
  version?: number,
  told?: object,
): void {
  const headers = ['x-swiftlet-request-id', id];
  if (version !== undefined)
    headers.push(
      'x-swiftlet-version',
      String(version),
      'x-swiftlet-start',
      'none',
      'server-timing',
      `queue;dur=0, ${warmPhases}, handler;dur=0`,
    );
  writeProblem(response, error, id, headers, isUnread(request), told);
}

/** Of a request that is not read, since it was not let in. */
const isUnread = (request: Exchange['request']): boolean => !request.complete && bodyLengthOf(request) !== 0;

/** The same for a function that has a fallback, which answers if it can. */
export function refuseFor({ request, response, id, served, target, origin }: Exchange, error: SwiftletError): void {
  const substitute = substituteFor(served.guard, request, target, error, performance.now());
  if (substitute === undefined) {
    const told = origin.tellsFailure === true ? { failure: failureIn(error) } : undefined;
    refuse(request, response, id, error, served.version.number, told);
    return;
  }
  const headers = ['x-swiftlet-request-id', id, 'x-swiftlet-version', String(served.version.number), 'x-swiftlet-start', 'none'];
  if (isUnread(request)) closeAfter(response, headers);
  writeSubstitute(response, substitute, error, headers);
}

/**
 * Writes problem details as the whole answer.
 * @param close whether the connection ends with it, since the rest of the request is not read
 * @param told more members, for a caller who may know more than anybody
 */
export function writeProblem(
  response: Exchange['response'],
  error: SwiftletError,
  requestId: string,
  headers: string[],
  close: boolean,
  told?: object,
): void {
  const problem = toProblem(error, requestId);
  const body = JSON.stringify(told === undefined ? problem : { ...problem, ...told });
  headers.push(
    deliveryHeaders.error,
    error.code,
    'content-type',
    'application/problem+json',
    'content-length',
    String(Buffer.byteLength(body)),
  );
  const again = retryAfter(problem);
  if (again !== undefined) headers.push('retry-after', again);
  if (close) closeAfter(response, headers);
  response.writeHead(problem.status, headers);
  response.end(body);
}

/** Ends the connection once the answer is out: the rest of the request is thrown away. */
export function closeAfter(response: Exchange['response'], headers: string[]): void {
  if (response instanceof Http2Response) {
    response.endUnread();
    return;
  }
  const { socket, req } = response;
  headers.push('connection', 'close');
  if (socket === null) return;
  // This is what node:http calls once the answer is out.
  socket.destroySoon = () => {
    req.resume();
    endGently(socket);
  };
}

const warmPhases = coldPhases.map((phase) => `${phase};dur=0`).join(', ');

/** What the platform says of a request, in its answer. */
export function addPlatformHeaders(exchange: Exchange, headers: string[]): void {
  const { waitedStart } = exchange;
  const waited = waitedStart === undefined ? warmPhases : coldPhasesText(waitedStart);
  const prepaid = waitedStart === undefined ? '' : `, prepaid;dur=${threeDecimals(totalMs(waitedStart.prepaid))}`;
  if (exchange.fallbackFor !== undefined) headers.push(...fallbackText(exchange.fallbackFor));
  headers.push(
    'x-swiftlet-request-id',
    exchange.id,
    'x-swiftlet-version',
    String(exchange.served.version.number),
    'x-swiftlet-start',
    exchange.start,
    'server-timing',
    `queue;dur=${threeDecimals(exchange.queueMs)}, ${waited}, handler;dur=${threeDecimals(handlerMsOf(exchange))}${prepaid}`,
  );
}

/** So far, for one that is given up before it has answered. */
const handlerMsOf = ({ handlerMs, dispatchedAt }: Exchange): number =>
  handlerMs > 0 || dispatchedAt === 0 ? handlerMs : performance.now() - dispatchedAt;

/** An answer of a fallback's, in the place of another function's error. */
const fallbackText = (code: string): string[] => [fallbackHeader, `function; cause=${code}`];

const coldPhasesText = ({ waited }: WaitedStart): string =>
  coldPhases.map((phase) => `${phase};dur=${threeDecimals(waited[phase])}`).join(', ');
