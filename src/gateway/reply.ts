/** What the caller gets: the function's answer, or problem details. Budget for a small answer: one writeHead and one end. */
import { retryAfter, type SwiftletError, toProblem } from '../model/errors.ts';
import { coldPhases, totalMs } from '../model/phases.ts';
import { deliveryHeaders } from '../wire/delivery.ts';
import { threeDecimals } from './decimal.ts';
import { endGently } from './end-gently.ts';
import type { Exchange } from './exchange.ts';
import { bodyLengthOf } from './request-headers.ts';
import type { WaitedStart } from './waited-start.ts';

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
  addPlatformHeaders(exchange, headers);
  response.writeHead(status, headers);
}

/** @throws nothing; a caller that is gone gets nothing */
export function sendProblem(exchange: Exchange, error: SwiftletError): void {
  const { response } = exchange;
  if (response.destroyed) return;
  if (exchange.headSent) {
    // The caller has half an answer: only a broken connection tells it so.
    response.destroy();
    return;
  }
  exchange.headSent = true;
  const headers: string[] = [];
  addPlatformHeaders(exchange, headers);
  // What is left of the request's body is not waited for.
  writeProblem(exchange.response, error, exchange.id, headers, !exchange.request.complete);
}

/**
 * Answers with problem details a request that no instance is asked for.
 * @param version of the function that it is for, if it is for one
 */
export function refuse(
  request: Exchange['request'],
  response: Exchange['response'],
  id: string,
  error: SwiftletError,
  version?: number,
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
  writeProblem(response, error, id, headers, !request.complete && bodyLengthOf(request) !== 0);
}

/**
 * Writes problem details as the whole answer.
 * @param close whether the connection ends with it, since the rest of the request is not read
 */
export function writeProblem(
  response: Exchange['response'],
  error: SwiftletError,
  requestId: string,
  headers: string[],
  close: boolean,
): void {
  const problem = toProblem(error, requestId);
  const body = JSON.stringify(problem);
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

function closeAfter({ socket, req }: Exchange['response'], headers: string[]): void {
  headers.push('connection', 'close');
  if (socket === null) return;
  // This is what node:http calls once the answer is out.
  socket.destroySoon = () => {
    req.resume();
    endGently(socket);
  };
}

const warmPhases = coldPhases.map((phase) => `${phase};dur=0`).join(', ');

function addPlatformHeaders(exchange: Exchange, headers: string[]): void {
  const { waitedStart } = exchange;
  const waited = waitedStart === undefined ? warmPhases : coldPhasesText(waitedStart);
  const prepaid = waitedStart === undefined ? '' : `, prepaid;dur=${threeDecimals(totalMs(waitedStart.prepaid))}`;
  headers.push(
    'x-swiftlet-request-id',
    exchange.id,
    'x-swiftlet-version',
    String(exchange.served.version.number),
    'x-swiftlet-start',
    exchange.start,
    'server-timing',
    `queue;dur=${threeDecimals(exchange.queueMs)}, ${waited}, handler;dur=${threeDecimals(exchange.handlerMs)}${prepaid}`,
  );
}

const coldPhasesText = ({ waited }: WaitedStart): string =>
  coldPhases.map((phase) => `${phase};dur=${threeDecimals(waited[phase])}`).join(', ');
