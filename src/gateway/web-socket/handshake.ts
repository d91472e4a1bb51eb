/** A caller's offer to go on with WebSocket: an answer like any other, until it is one that takes the offer. */
import { hash } from 'node:crypto';
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { SwiftletError } from '../../model/errors.ts';
import { endGently } from '../http/end-gently.ts';
import { bodyLengthOf } from '../http/request-headers.ts';

/** RFC 6455, 1.3. */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const keyPattern = /^[+/0-9A-Za-z]{22}==$/;
const spokenVersion = '13';
/** What a caller may send before it is answered. It has no reason to send anything. */
const earlyLimitBytes = 64 * 1024;
/** Ours to say, or agreed on by nobody. */
const ofHandshake = new Set(['sec-websocket-accept', 'sec-websocket-extensions', 'content-length']);

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
  if (!keyPattern.test(headers['sec-websocket-key'] ?? '')) return fault('has a header "sec-websocket-key" with 16 bytes in Base64');
  return undefined;
}

/** For one that came on a connection that cannot be upgraded. */
export const notUpgradable = (): SwiftletError =>
  fault('has no body, has the header "connection: upgrade", and comes once every request before it on its connection has been answered');

const fault = (what: string): SwiftletError => new SwiftletError('BadRequest', `a WebSocket handshake ${what}`);

export class Handshake extends ServerResponse {
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

  /**
   * Takes the offer. The connection is the caller's of this from now on.
   * @param headers names and values in turn
   * @returns the connection, and what the caller has sent on it already
   */
  accept(headers: readonly string[]): { readonly socket: Socket; readonly early: readonly Buffer[] } {
    const socket = this.#caller;
    socket.off('data', this.#keep);
    socket.off('end', this.#hangUp);
    const accept = hash('sha1', `${this.req.headers['sec-websocket-key'] ?? ''}${acceptSuffix}`, 'base64');
    let text = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n`;
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const [name = '', value = ''] = [headers[at], headers[at + 1]];
      if (!ofHandshake.has(name)) text += `${name}: ${value}\r\n`;
    }
    socket.write(`${text}\r\n`, 'latin1');
    return { socket, early: this.#early };
  }
}
