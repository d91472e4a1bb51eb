/** A request's way to its instance: the head, then the body as the instance takes it. Budget: 3 µs for a request without a body. */
import { SwiftletError } from '../../model/errors.ts';
import { maxBodyBytes } from '../../model/limits.ts';
import { traceparentHeader, traceparentOf } from '../../model/traceparent.ts';
import { deliveryHeaders } from '../../wire/delivery.ts';
import { bodyChunkBytes, encodeFrame } from '../../wire/frames.ts';
import { frame, initialCreditBytes, type InvokeHead, invokeKind, offersWebSocket, takesCalls } from '../../wire/instance-protocol.ts';
import type { Exchange } from './exchange.ts';
import { invokeWayOf } from './invoke-way.ts';
import type { InstanceLink } from '../instances/instance-link.ts';
import type { TakenRoute } from '../routing/taken-route.ts';
import { forwardedHeaders } from '../http/request-headers.ts';

const noHeaders: readonly string[] = [];
const warmUpHeaders: readonly string[] = [deliveryHeaders.warmUp, 'yes'];
const clientContextHeader = 'x-amz-client-context';

/**
 * Sends a request to an instance that has room. Its body follows as it comes.
 * @param onTooLarge called when the body turns out to be over the limit
 */
export function dispatch(
  exchange: Exchange,
  link: InstanceLink,
  now: number,
  onTooLarge: (exchange: Exchange, error: SwiftletError) => void,
): void {
  const { request, kind, sourceIp } = exchange;
  exchange.link = link;
  exchange.stream = link.streams.enter(exchange);
  const head: InvokeHead = [
    kind,
    exchange.id,
    Math.round(Date.now() + Math.min(exchange.served.version.config.timeoutMs, exchange.callerDeadline - now)),
    request.method ?? 'GET',
    exchange.target,
    sourceIp,
    exchange.bodyLength,
    kind === invokeKind.http
      ? forwardedHeaders(request.rawHeaders, request.headers.connection, sourceIp, request.headers.host ?? '', schemeOf(request))
      : eventHeaders(exchange),
    takesCalls,
  ];
  link.write(encodeFrame(frame.invoke, exchange.stream, JSON.stringify(wholeOf(head, exchange))));
  if (exchange.bodyLength === 0) return;
  exchange.requestCredit = initialCreditBytes;
  exchange.stalledSince = now;
  if (exchange.bodyAhead === undefined) pumpBody(exchange, onTooLarge);
  else sendAgain(exchange, exchange.bodyAhead);
}

/** Through a connection by TLS, or not. */
const schemeOf = ({ socket }: Exchange['request']): string => ('encrypted' in socket ? 'https' : 'http');

/** With what few requests have. */
function wholeOf(head: InvokeHead, exchange: Exchange): InvokeHead {
  const { taken, authorizer, offer, origin } = exchange;
  const way = invokeWayOf(taken, authorizer) ?? origin.way ?? null;
  if (way === null && offer === undefined) return head;
  const [kind, id, deadline, method, target, sourceIp, length, headers, calls] = head;
  if (offer === undefined) return [kind, id, deadline, method, target, sourceIp, length, headers, calls, way];
  // What is between hops otherwise is for the function to see here.
  const all = [...headers, 'connection', 'upgrade', 'upgrade', 'websocket'];
  return [kind, id, deadline, method, target, sourceIp, length, all, calls, way, offersWebSocket];
}

/**
 * An event comes without headers, but what a client of the Lambda API sends along for its context, the trace that it belongs to, and whether
 * it only keeps the instance warm.
 */
function eventHeaders({ request: { headers }, origin: { clientContext, isWarmUp = false } }: Exchange): readonly string[] {
  if (isWarmUp) return warmUpHeaders;
  const context = clientContext === undefined ? noHeaders : [clientContextHeader, clientContext];
  const traceparent = headers.traceparent === undefined ? undefined : traceparentOf(headers.traceparent);
  return traceparent === undefined ? context : [...context, traceparentHeader, traceparent];
}

function pumpBody(exchange: Exchange, onTooLarge: (exchange: Exchange, error: SwiftletError) => void): void {
  const { request } = exchange;
  exchange.bodyAhead = [];
  request.on('data', (chunk: Buffer) => {
    exchange.received += chunk.length;
    if (exchange.state === 'settled' || exchange.abandoned !== undefined) return;
    if (exchange.received > (exchange.taken?.open.route.maxBodyBytes ?? maxBodyBytes)) {
      onTooLarge(exchange, bodyTooLarge(exchange.taken));
      return;
    }
    if (exchange.state !== 'dispatched') exchange.bodyAhead?.push(chunk);
    if (exchange.state !== 'waiting') sendChunk(exchange, chunk);
  });
  request.once('end', () => {
    exchange.stalledSince = 0;
    exchange.bodyEnded = true;
    if (exchange.state === 'dispatched' || exchange.state === 'ahead') sendEnd(exchange);
  });
}

function sendChunk(exchange: Exchange, chunk: Buffer): void {
  exchange.stalledSince = performance.now();
  for (let at = 0; at < chunk.length; at += bodyChunkBytes)
    exchange.link?.write(encodeFrame(frame.requestBody, exchange.stream, chunk.subarray(at, at + bodyChunkBytes)));
  exchange.requestCredit -= chunk.length;
  if (exchange.requestCredit > 0) return;
  // It is the instance's turn now, not the caller's.
  exchange.stalledSince = 0;
  exchange.request.pause();
}

const sendEnd = (exchange: Exchange): void => exchange.link?.write(encodeFrame(frame.requestEnd, exchange.stream));

/** The instance that this was sent ahead to has not come: the next one gets it from the beginning. */
function sendAgain(exchange: Exchange, body: readonly Buffer[]): void {
  for (const chunk of body) sendChunk(exchange, chunk);
  if (exchange.bodyEnded) sendEnd(exchange);
}

/** The instance has taken bytes of the body: more may come. */
export function takeRequestCredit(exchange: Exchange, payload: Buffer): void {
  if (payload.length !== 4) return;
  // No more than a runtime may have asked for, so that what it does not read cannot pile up here.
  exchange.requestCredit = Math.min(initialCreditBytes, exchange.requestCredit + payload.readUInt32BE(0));
  if (exchange.requestCredit <= 0 || !exchange.request.isPaused()) return;
  exchange.stalledSince = performance.now();
  exchange.request.resume();
}

/** Tells the instance that nobody waits for the answer any more. */
export function cancel(exchange: Exchange): void {
  exchange.link?.write(encodeFrame(frame.cancel, exchange.stream));
}

/** @param taken the route whose limit it may be */
export function bodyTooLarge(taken?: TakenRoute): SwiftletError {
  const ofRoute = taken?.open.route.maxBodyBytes;
  const limit = `${ofRoute ?? maxBodyBytes} bytes`;
  const whose = ofRoute === undefined ? '' : ` of the route ${taken?.open.routeKey ?? ''}`;
  return new SwiftletError('RequestTooLarge', `the request's body is over the limit of ${limit}${whose}; send less, or send a link to it`, {
    limit,
  });
}
