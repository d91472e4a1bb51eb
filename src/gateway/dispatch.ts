/** A request's way to its instance: the head, then the body as the instance takes it. Budget: 3 µs for a request without a body. */
import { SwiftletError } from '../model/errors.ts';
import { maxBodyBytes } from '../model/limits.ts';
import { bodyChunkBytes, encodeFrame } from '../wire/frames.ts';
import { frame, initialCreditBytes, type InvokeHead, invokeKind } from '../wire/instance-protocol.ts';
import type { Exchange } from './exchange.ts';
import type { InstanceLink } from './instance-link.ts';
import { forwardedHeaders } from './request-headers.ts';

const noHeaders: readonly string[] = [];

/**
 * Sends a request to an instance that has room.
 * @param onTooLarge called when the body turns out to be over the limit
 */
export function dispatch(exchange: Exchange, link: InstanceLink, onTooLarge: (exchange: Exchange, error: SwiftletError) => void): void {
  const { request, kind } = exchange;
  exchange.link = link;
  exchange.state = 'dispatched';
  exchange.stream = link.open(exchange);
  const ip = request.socket.remoteAddress ?? '';
  const head: InvokeHead = [
    kind,
    exchange.id,
    Math.round(Date.now() + exchange.deadline - exchange.dispatchedAt),
    request.method ?? 'GET',
    exchange.target,
    ip,
    exchange.bodyLength,
    kind === invokeKind.http ? forwardedHeaders(request.rawHeaders, request.headers.connection, ip, request.headers.host ?? '') : noHeaders,
  ];
  link.write(encodeFrame(frame.invoke, exchange.stream, JSON.stringify(head)));
  if (exchange.bodyLength !== 0) pumpBody(exchange, link, onTooLarge);
}

function pumpBody(exchange: Exchange, link: InstanceLink, onTooLarge: (exchange: Exchange, error: SwiftletError) => void): void {
  const { request } = exchange;
  exchange.requestCredit = initialCreditBytes;
  exchange.stalledSince = exchange.dispatchedAt;
  request.on('data', (chunk: Buffer) => {
    exchange.received += chunk.length;
    if (exchange.state === 'settled') return;
    if (exchange.received > maxBodyBytes) {
      onTooLarge(exchange, bodyTooLarge());
      return;
    }
    exchange.stalledSince = performance.now();
    for (let at = 0; at < chunk.length; at += bodyChunkBytes)
      link.write(encodeFrame(frame.requestBody, exchange.stream, chunk.subarray(at, at + bodyChunkBytes)));
    exchange.requestCredit -= chunk.length;
    if (exchange.requestCredit <= 0) {
      // It is the instance's turn now, not the caller's.
      exchange.stalledSince = 0;
      request.pause();
    }
  });
  request.once('end', () => {
    exchange.stalledSince = 0;
    if (exchange.state === 'dispatched') link.write(encodeFrame(frame.requestEnd, exchange.stream));
  });
}

/** The instance has taken bytes of the body: more may come. */
export function takeRequestCredit(exchange: Exchange, payload: Buffer): void {
  if (payload.length !== 4) return;
  exchange.requestCredit += payload.readUInt32BE(0);
  if (exchange.requestCredit <= 0 || !exchange.request.isPaused()) return;
  exchange.stalledSince = performance.now();
  exchange.request.resume();
}

/** Tells the instance that nobody waits for the answer any more. */
export function cancel(exchange: Exchange): void {
  exchange.link?.write(encodeFrame(frame.cancel, exchange.stream));
}

export const bodyTooLarge = (): SwiftletError =>
  new SwiftletError('RequestTooLarge', `the request's body is over the limit of ${maxBodyBytes} bytes; send less, or send a link to it`);
