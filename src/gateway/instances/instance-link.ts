/** The gateway's connection to one instance. Many requests share it; frames of one turn leave in one write. */
import { createConnection, type Socket } from 'node:net';
import { maxHeaderBytes } from '../../model/limits.ts';
import type { Start } from '../../model/phases.ts';
import type { AcquiredInstance } from '../../wire/agent-calls.ts';
import { FrameDecoder, headerBytes, joinFrames } from '../../wire/frames.ts';
import { frame, initialCreditBytes } from '../../wire/instance-protocol.ts';
import type { Agent } from './agents.ts';
import { Answers } from './answers.ts';
import type { Exchange } from '../request/exchange.ts';
import type { ServedVersion } from './served-version.ts';
import { Streams } from '../http/streams.ts';

/** A runtime sends no frame for a request that is over; a thread of the user's may. More than this is no mistake any more. */
const maxStrayBytes = 1024 * 1024;

export interface LinkEvents {
  /**
   * A frame for a request that is under way. Frames for others are dropped before.
   * @param payload in memory that is used again once this returns; a long answer's comes in pieces
   */
  frame(link: InstanceLink, exchange: Exchange, type: number, payload: Buffer): void;
  /** All frames that came together have been handed out. */
  turn(link: InstanceLink): void;
  /** The instance broke the protocol in a way that leaves nothing to read; `closed` follows. */
  broke(link: InstanceLink): void;
  /** The connection is gone; exchanges may still be on it. @param wasRetired it was to go */
  closed(link: InstanceLink, wasRetired: boolean): void;
  /** The instance begins with what was sent ahead. */
  begun(link: InstanceLink): void;
  /** The connection is gone before it was open. */
  lost(link: InstanceLink): void;
}

/** A starting link's instance is not initialised yet; what comes from it is kept until it is. A retired one takes no more requests. */
export type LinkState = 'starting' | 'open' | 'retired' | 'closed';

/** What instances send is read into the same memory: all of one read is worked on before the next. */
const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);

/** What may come from an instance that is not known to be initialised, until no more of it is read. */
const earlyLimitBytes = 256 * 1024;
/** What may wait for an instance that is busy: its requests' heads, and of each body what it gave credit for. */
const backlogBytesPerStream = 2 * maxHeaderBytes + initialCreditBytes;
const backlogBytes = 4 * 1024 * 1024;

interface EarlyFrame {
  readonly type: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export class InstanceLink {
  readonly id: string;
  readonly served: ServedVersion;
  /** Whose it is. */
  readonly agent: Agent;
  /** Places for requests that this gateway has a lease on; others may have the rest. */
  slots: number;
  /** Requests under way. */
  readonly streams: Streams<Exchange>;
  /** How its requests ended lately. */
  readonly answers = new Answers();
  /** Why it is to be replaced: it takes no more requests, and is ended after those that it has. */
  sickBy: string | undefined;
  /** In `served.free`. */
  isFree = false;
  /** How a request that is handed to it now finds it. */
  start: Start = 'cold';
  /** One of those that its function always has. */
  isProvisioned = false;
  /** After how long without requests the lease is given back. */
  idleLimitMs: number;
  /** The instance said that it begins with what was sent ahead. */
  hasBegun = false;
  /** Another instance takes its place. */
  isReplaced = false;
  /** The socket is closed. */
  isLost = false;
  idleSince: number;
  /** When the gateway got it. */
  readonly sinceMs: number;
  readonly #socket: Socket;
  readonly #events: LinkEvents;
  #state: LinkState = 'starting';
  #early: EarlyFrame[] = [];
  #earlyBytes = 0;
  #strayBytes = 0;
  #frames: Buffer[] = [];
  #bytes = 0;
  /** Bytes of `writeApart` that the instance has not taken. */
  #apartBytes = 0;
  readonly #flush = (): void => {
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    if (!this.isLost) this.#socket.write(joinFrames(frames, this.#bytes));
    this.#bytes = 0;
    // Only an instance that gives credit for what it does not read lets more than this pile up.
    if (this.#socket.writableLength - this.#apartBytes > backlogBytes + this.streams.size * backlogBytesPerStream) this.close();
  };

  constructor(id: string, socketPath: string, slots: number, served: ServedVersion, events: LinkEvents, now: number, agent: Agent) {
    this.id = id;
    this.agent = agent;
    this.slots = slots;
    this.streams = new Streams<Exchange>(Math.max(slots, served.version.config.concurrency));
    this.served = served;
    this.idleSince = now;
    this.sinceMs = now;
    this.idleLimitMs = served.version.config.idleMs;
    this.#events = events;
    const decoder = new FrameDecoder((type, stream, payload) => this.#receive(type, stream, payload), {
      isLent: true,
      inPieces: (type, stream) => type === frame.responseBody && this.streams.get(stream)?.headSent === true,
    });
    const read = (length: number): boolean => {
      try {
        decoder.push(readBuffer.subarray(0, length));
      } catch {
        this.#break();
      }
      events.turn(this);
      return true;
    };
    this.#socket = createConnection({ path: socketPath, onread: { buffer: readBuffer, callback: read } });
    this.#socket.setNoDelay(true);
    // Whatever the reason, what matters is that it is closed.
    this.#socket.on('error', () => undefined);
    this.#socket.once('close', () => this.#lose());
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Requests that it has. */
  get inFlight(): number {
    return this.streams.size;
  }

  get hasRoom(): boolean {
    return this.#state === 'open' && this.streams.size < this.slots;
  }

  /** What the agent says of the instance with its lease. */
  take({ start, isProvisioned, idleLimitMs }: Pick<AcquiredInstance, 'start' | 'isProvisioned' | 'idleLimitMs'>): void {
    this.isProvisioned = isProvisioned;
    this.idleLimitMs = isProvisioned ? Infinity : idleLimitMs;
    this.start = start === 'warm' ? this.#usualStart : start;
  }

  /** All who waited for it have it: whoever comes now finds it ready. */
  beReady(): void {
    this.start = this.#usualStart;
  }

  get #usualStart(): Start {
    return this.isProvisioned ? 'provisioned' : 'warm';
  }

  /** The instance is initialised: what it has sent meanwhile is handed out, and requests may follow. */
  open(): void {
    // One that takes a single request, and was sent it ahead, takes no more.
    this.#state = this.served.isOneShot && this.streams.size > 0 ? 'retired' : 'open';
    const early = this.#early;
    this.#early = [];
    for (const { type, stream, payload } of early) this.#receive(type, stream, payload);
    this.#events.turn(this);
    this.#socket.resume();
    if (this.isLost) this.#closed();
  }

  /** No more requests go to it. */
  retire(): void {
    if (this.#state !== 'closed') this.#state = 'retired';
  }

  write(bytes: Buffer): void {
    this.#bytes += bytes.length;
    if (this.#frames.push(bytes) > 1) return;
    // With others under way, those of the other connections that this turn still brings leave in the same write.
    if (this.streams.size > 1) setImmediate(this.#flush);
    else process.nextTick(this.#flush);
  }

  /**
   * Sends a frame that is no part of an answer's or a body's flow, and whose sender bounds what may wait.
   * @param taken called once: when it has left, or will not leave any more
   */
  writeApart(frame: Buffer, taken: () => void): void {
    // In its turn among the others.
    this.#flush();
    this.#apartBytes += frame.length;
    this.#socket.write(frame, () => {
      this.#apartBytes -= frame.length;
      taken();
    });
  }

  #stray(bytes: number): void {
    this.#strayBytes += bytes;
    if (this.#strayBytes > maxStrayBytes) this.#break();
  }

  #break(): void {
    // Of an instance that is not initialised the agent says what becomes of it.
    if (!this.isLost && this.#state !== 'starting') this.#events.broke(this);
    this.close();
  }

  close(): void {
    this.#socket.destroy();
    this.#lose();
  }

  #receive(type: number, stream: number, payload: Buffer): void {
    if (type === frame.begun && !this.hasBegun) {
      this.hasBegun = true;
      this.#events.begun(this);
    } else if (this.#state === 'starting') {
      this.#early.push({ type, stream, payload: Buffer.from(payload) });
      this.#earlyBytes += payload.length + headerBytes;
      if (this.#earlyBytes > earlyLimitBytes) this.#socket.pause();
    } else {
      const exchange = this.streams.get(stream);
      if (exchange !== undefined) this.#events.frame(this, exchange, type, payload);
      else this.#stray(payload.length + headerBytes);
    }
  }

  #lose(): void {
    if (this.isLost) return;
    this.isLost = true;
    if (this.#state === 'starting') this.#events.lost(this);
    else this.#closed();
  }

  #closed(): void {
    if (this.#state === 'closed') return;
    const wasRetired = this.#state === 'retired';
    this.#state = 'closed';
    this.#events.closed(this, wasRetired);
  }
}
