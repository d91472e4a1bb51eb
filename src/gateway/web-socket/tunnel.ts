/**
 * A connection that a request became: bytes pass in both directions, and nobody here reads them. Each direction is held up where its other
 * end is not read. Budget: 3 µs a piece.
 */
import type { Duplex } from 'node:stream';
import { bodyChunkBytes, encodeFrame } from '../../wire/frames.ts';
import { frame, initialCreditBytes } from '../../wire/instance-protocol.ts';
import { giveCredit } from '../request/credit.ts';
import type { Exchange } from '../request/exchange.ts';
import type { Line } from './offer.ts';

export class Tunnel {
  readonly #exchange: Exchange;
  readonly #line: Line;
  readonly #socket: Duplex;
  /** Bytes that the instance takes. */
  #credit = initialCreditBytes;
  /** Bytes that the caller has not taken; 0 while it takes what comes. */
  #owed = 0;
  #isCorked = false;
  readonly #fromCaller = (chunk: Buffer): void => {
    const { link, stream } = this.#exchange;
    for (let at = 0; at < chunk.length; at += bodyChunkBytes)
      link?.write(encodeFrame(frame.requestBody, stream, chunk.subarray(at, at + bodyChunkBytes)));
    this.#credit -= chunk.length;
    if (this.#credit <= 0) this.#socket.pause();
  };

  /** @param line the caller's */
  constructor(exchange: Exchange, line: Line) {
    const { socket, early } = line;
    this.#exchange = exchange;
    this.#line = line;
    this.#socket = socket;
    for (const chunk of early) this.#fromCaller(chunk);
    socket.on('data', this.#fromCaller);
    socket.once('end', () => this.#say(frame.requestEnd));
    if (this.#credit > 0) socket.resume();
  }

  /** The instance has taken bytes. */
  takeCredit(payload: Buffer): void {
    if (payload.length !== 4) return;
    this.#credit = Math.min(initialCreditBytes, this.#credit + payload.readUInt32BE(0));
    if (this.#credit > 0 && this.#socket.isPaused()) this.#socket.resume();
  }

  /** Hands bytes of the instance's to the caller. @param bytes in memory that is used again once this returns */
  write(bytes: Buffer): void {
    this.#cork();
    const isTaken = this.#socket.write(Buffer.from(bytes));
    if (isTaken && this.#owed === 0) giveCredit(this.#exchange, bytes.length);
    else this.#owe(bytes.length);
  }

  /** The instance is to end it soon. */
  goAway(): void {
    this.#say(frame.goAway);
  }

  /** The instance has ended it: the caller gets what was written, and no more. */
  end(): void {
    this.#socket.off('data', this.#fromCaller);
    this.#socket.resume();
    this.#line.endGently();
  }

  /** Ends it at once. */
  cut(): void {
    this.#line.cut();
  }

  #say(type: number): void {
    const { link, stream } = this.#exchange;
    if (link?.streams.get(stream) === this.#exchange) link.write(encodeFrame(type, stream));
  }

  /** What comes in one turn leaves in one write. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#socket.uncork();
    });
  }

  #owe(bytes: number): void {
    this.#owed += bytes;
    if (this.#owed > bytes) return;
    this.#exchange.stalledSince = performance.now();
    this.#socket.once('drain', () => {
      const owed = this.#owed;
      this.#owed = 0;
      this.#exchange.stalledSince = 0;
      giveCredit(this.#exchange, owed);
    });
  }
}
