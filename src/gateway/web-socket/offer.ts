/** What a caller offers who wants to go on with WebSocket: by HTTP/1.1 a handshake, by HTTP/2 an extended CONNECT. */
import type { Duplex } from 'node:stream';

/** The bytes of both, from when the offer was taken. */
export interface Line {
  readonly socket: Duplex;
  /** What the caller has sent already. */
  readonly early: readonly Buffer[];
  /** The caller gets what was written, and no more. Something must read the socket. */
  endGently(): void;
  /** Ends it at once: the caller learns that it is broken. */
  cut(): void;
}

export interface Offer {
  /** Takes it. The line is the caller's of this from now on. @param headers names and values in turn */
  accept(headers: readonly string[]): Line;
}

/** Ours to say, or agreed on by nobody. */
const ofHandshake = new Set(['sec-websocket-accept', 'sec-websocket-extensions', 'content-length']);

/** What a function says with its acceptance and may say. */
export function acceptedHeaders(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2)
    if (!ofHandshake.has(headers[at] ?? '')) kept.push(headers[at] ?? '', headers[at + 1] ?? '');
  return kept;
}
