/** One sandbox's output, from its pipe to its function's log. Memory is bounded whatever comes. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { z } from 'zod';
import { logBurstBytes, logBytesPerSecond, logLineBytes } from '../model/limits.ts';
import type { labelSchema, LogRecord } from '../wire/relay-calls.ts';
import { LineCutter } from './line-cutter.ts';
import { parseLine } from './parse-line.ts';
import { takeTokens, type TokenBucket } from '../model/token-bucket.ts';

type Label = z.output<typeof labelSchema>;

const tailBytes = 4096;
const muteMs = 1_000;
/** Lines kept for a sandbox that has no owner yet. */
const earlyLines = 100;
/** What comes is read into this, by all pipes one after the other: buffers of their own would be garbage faster than it is collected. */
const shared = Buffer.allocUnsafeSlow(64 * 1024);
/** A pipe holds no more than this, unless somebody made it larger. */
const maxRestBytes = 1024 * 1024;
const rate = { perSecond: logBytesPerSecond, burst: logBurstBytes };

export interface SlotPipeMeans {
  /** Takes a finished record for a function's log. */
  append(tenant: string, name: string, record: LogRecord): void;
  /** Bytes that were over the rate. */
  dropped(bytes: number): void;
  readonly now: () => Date;
}

export class SlotPipe {
  readonly fifo: string;
  readonly #means: SlotPipeMeans;
  readonly #fd: number;
  readonly #socket: Socket;
  readonly #cutter: LineCutter;
  readonly #tail = Buffer.alloc(tailBytes);
  #tailLength = 0;
  #early: string[] = [];
  #label: Label | undefined;
  #bucket: TokenBucket = { tokens: logBurstBytes, at: performance.now() };
  #droppedBytes = 0;
  #mutedUntil = 0;

  /** @param fifo opened at once, without waiting for a writer */
  constructor(fifo: string, means: SlotPipeMeans) {
    this.fifo = fifo;
    this.#means = means;
    this.#cutter = new LineCutter(logLineBytes, (line) => this.#takeLine(line));
    const fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    this.#fd = fd;
    const callback = (length: number) => {
      this.#take(shared.subarray(0, length));
      return true;
    };
    try {
      // A socket object reads pipes by readiness; file streams would hold a thread of the pool for each.
      this.#socket = new Socket({ fd, readable: true, writable: false, onread: { buffer: shared, callback } });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#socket.on('error', () => undefined);
    this.#socket.resume();
  }

  label(label: Label): void {
    this.#label = label;
    const early = this.#early;
    this.#early = [];
    for (const line of early) this.#takeLine(line);
  }

  /** Stops reading. @returns the last bytes that came */
  close(): string {
    if (!this.#socket.destroyed) this.#takeRest();
    this.#cutter.end();
    this.#tellDropped();
    this.#socket.destroy();
    return this.#tail.toString('utf8', 0, this.#tailLength);
  }

  /** What was written just before the end may lie in the pipe still. */
  #takeRest(): void {
    try {
      for (let taken = 0, length = 1; length > 0 && taken < maxRestBytes; taken += length) {
        length = readSync(this.#fd, shared);
        this.#take(shared.subarray(0, length));
      }
    } catch {
      // It is empty.
    }
  }

  /** @param chunk is written over by what comes next */
  #take(chunk: Buffer): void {
    this.#keepTail(chunk);
    const now = performance.now();
    const wanted = now < this.#mutedUntil ? 0 : chunk.length;
    const { granted, bucket } = takeTokens(this.#bucket, rate, wanted, now);
    this.#bucket = bucket;
    if (granted > 0) {
      this.#tellDropped();
      this.#cutter.push(granted === chunk.length ? chunk : chunk.subarray(0, granted));
    }
    if (granted === chunk.length) return;
    // Whoever is over the rate is muted for a while, so that the log has one gap and not thousands.
    if (wanted > 0) this.#mutedUntil = now + muteMs;
    this.#droppedBytes += chunk.length - granted;
    this.#means.dropped(chunk.length - granted);
  }

  /** In place, since nothing here may make garbage for every chunk. */
  #keepTail(chunk: Buffer): void {
    const added = chunk.subarray(-tailBytes);
    const kept = Math.min(this.#tailLength, tailBytes - added.length);
    this.#tail.copyWithin(0, this.#tailLength - kept, this.#tailLength);
    added.copy(this.#tail, kept);
    this.#tailLength = kept + added.length;
  }

  #tellDropped(): void {
    if (this.#droppedBytes === 0) return;
    const message = `… ${this.#droppedBytes} bytes of output were dropped: a function may write ${logBytesPerSecond} bytes a second`;
    this.#droppedBytes = 0;
    this.#cutter.end();
    this.#record({ time: this.#means.now().toISOString(), level: 'platform', message });
  }

  #takeLine(line: string): void {
    if (line === '') return;
    if (this.#label === undefined) {
      if (this.#early.length < earlyLines) this.#early.push(line);
      return;
    }
    this.#record(parseLine(line, this.#means.now));
  }

  #record(record: LogRecord): void {
    if (this.#label === undefined) return;
    const { tenant, function: name, version, instanceId } = this.#label;
    this.#means.append(tenant, name, { ...record, instanceId, version });
  }
}
