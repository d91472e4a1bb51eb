/** A caller's offer to go on with WebSocket: an answer like any other, until it is one that takes the offer. */
import { hash } from 'node:crypto';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { SwiftletError } from '../../model/errors.ts';
import { endGently } from '../http/end-gently.ts';
import { bodyLengthOf } from '../http/request-headers.ts';
import { Http2Response } from '../secure/http2-response.ts';
import { acceptedHeaders, type Line, type Offer } from './offer.ts';

/** RFC 6455, 1.3. */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const keyPattern = /^[+/0-9A-Za-z]{22}==$/;
const spokenVersion = '13';
/** What a caller may send before it is answered. It has no reason to send anything. */
const earlyLimitBytes = 64 * 1024;
/** A connection of a caller's that is gone without a word is noticed by the system after some of these. */
const keepAliveMs = 30_000;

/** Whether a request is such an offer, by its header alone. */
export const offersWebSocket = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers.upgrade !== undefined && headers.upgrade.toLowerCase() === 'websocket';

/**
 * Whether its connection may become one now. Another answer on it that is not out yet would be torn apart: it is where node:http keeps that,
 * which tells so by nothing else before the connection is given away. A body would be waited for.
 */
export const mayUpgrade = (request: IncomingMessage): boolean =>
  offersWebSocket(request) && bodyLengthOf(request) === 0 && (Reflect.get(request.socket, '_httpMessage') ?? null) === null;

/** @returns what keeps the offer from being taken by anybody */
export function handshakeFault(request: IncomingMessage): SwiftletError | undefined {
  const { method, headers } = request;
  if (method !== 'GET') return fault(`comes with GET, and not with ${method ?? 'no method'}`);
  if (headers['sec-websocket-version'] !== spokenVersion) return fault(`has the header "sec-websocket-version: ${spokenVersion}"`);
  if (bodyLengthOf(request) !== 0) return notUpgradable();
  if (!keyPattern.test(headers['sec-websocket-key'] ?? '')) return fault('has a header "sec-websocket-key" with 16 bytes in Base64');
  return undefined;
}

/** For one that came on a connection that cannot be upgraded. */
export const notUpgradable = (): SwiftletError =>
  fault('has no body, has the header "connection: upgrade", and comes once every request before it on its connection has been answered');

/** What an answer is to, if its caller offers to go on with WebSocket. */
export const offerOf = (response: ServerResponse): Offer | undefined =>
  response instanceof Handshake ? response : response instanceof Http2Response ? response.offer : undefined;

const fault = (what: string): SwiftletError => new SwiftletError('BadRequest', `a WebSocket handshake ${what}`);

export class Handshake extends ServerResponse implements Offer {
  readonly #caller: Socket;
  readonly #early: Buffer[] = [];
  #earlyBytes = 0;
  readonly #keep = (chunk: Buffer): void => {
    this.#early.push(chunk);
    this.#earlyBytes += chunk.length;
    if (this.#earlyBytes > earlyLimitBytes) this.#caller.pause();
  };
  readonly #hangUp = (): void => {
    this.#caller.destroy();
  };

  /** @param caller the connection, which belongs to nobody else any more @param early what came on it already */
  constructor(request: IncomingMessage, caller: Socket, early: Buffer) {
    super(request);
    this.#caller = caller;
    this.shouldKeepAlive = false;
    this.setHeader('sec-websocket-version', spokenVersion);
    this.assignSocket(caller);
    caller.setTimeout(0);
    // Whatever the reason, what matters is that it is closed.
    caller.on('error', () => undefined);
    // It is read, since nobody would see otherwise that the caller has hung up.
    caller.on('data', this.#keep);
    caller.once('end', this.#hangUp);
    if (early.length > 0) this.#keep(early);
    this.once('finish', () => {
      caller.resume();
      endGently(caller);
    });
  }

  accept(headers: readonly string[]): Line {
    const socket = this.#caller;
    socket.off('data', this.#keep);
    socket.off('end', this.#hangUp);
    socket.setKeepAlive(true, keepAliveMs);
    const accept = hash('sha1', `${this.req.headers['sec-websocket-key'] ?? ''}${acceptSuffix}`, 'base64');
    let text = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`;
    const said = acceptedHeaders(headers);
    for (let at = 0; at < said.length; at += 2) text += `${said[at] ?? ''}: ${said[at + 1] ?? ''}\r\n`;
    socket.write(`${text}\r\n`, 'latin1');
    return { socket, early: this.#early, endGently: () => endGently(socket), cut: () => socket.destroy() };
  }
}
