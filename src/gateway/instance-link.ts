/** The gateway's connection to one instance. Many requests share it; frames of one turn leave in one write. */
import { createConnection, type Socket } from 'node:net';
import { FrameDecoder } from '../wire/frames.ts';
import type { Exchange } from './exchange.ts';
import type { ServedFunction } from './served-function.ts';

export interface LinkEvents {
  /** A frame for a request that is under way. Frames for others are dropped before. */
  frame(link: InstanceLink, exchange: Exchange, type: number, payload: Buffer): void;
  /** All frames that came together have been handed out. */
  turn(link: InstanceLink): void;
  /** The connection is gone, or broke the protocol; exchanges may still be on it. */
  closed(link: InstanceLink): void;
}

export class InstanceLink {
  readonly id: string;
  readonly served: ServedFunction;
  readonly slots: number;
  /** Requests under way, by stream. */
  readonly streams = new Map<number, Exchange>();
  /** In `served.free`. */
  isFree = false;
  /** Takes no more requests. */
  isRetired = false;
  isClosed = false;
  idleSince: number;
  readonly #socket: Socket;
  readonly #events: LinkEvents;
  #lastStream = 0;
  #frames: Buffer[] = [];
  #bytes = 0;
  readonly #flush = (): void => {
    const frames = this.#frames;
    const [first] = frames;
    this.#frames = [];
    if (first !== undefined && !this.isClosed) this.#socket.write(frames.length === 1 ? first : Buffer.concat(frames, this.#bytes));
    this.#bytes = 0;
  };

  constructor(id: string, socketPath: string, slots: number, served: ServedFunction, events: LinkEvents, now: number) {
    this.id = id;
    this.slots = slots;
    this.served = served;
    this.idleSince = now;
    this.#events = events;
    const decoder = new FrameDecoder((type, stream, payload) => {
      const exchange = this.streams.get(stream);
      if (exchange !== undefined) events.frame(this, exchange, type, payload);
    });
    this.#socket = createConnection(socketPath);
    this.#socket.setNoDelay(true);
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        decoder.push(chunk);
      } catch {
        this.close();
      }
      events.turn(this);
    });
    // Whatever the reason, what matters is that it is closed.
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => this.#closed());
  }

  get hasRoom(): boolean {
    return !this.isRetired && !this.isClosed && this.streams.size < this.slots;
  }

  /** Opens a stream for a request. @returns its number */
  open(exchange: Exchange): number {
    this.#lastStream = this.#lastStream >= 0xffff_fffe ? 1 : this.#lastStream + 1;
    this.streams.set(this.#lastStream, exchange);
    return this.#lastStream;
  }

  write(frame: Buffer): void {
    this.#bytes += frame.length;
    if (this.#frames.push(frame) === 1) process.nextTick(this.#flush);
  }

  close(): void {
    this.#socket.destroy();
    this.#closed();
  }

  #closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#events.closed(this);
  }
}
