/** One sandbox's output, from its pipe to its function's log. Memory is bounded whatever comes. */
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { z } from 'zod';
import { logBurstBytes, logBytesPerSecond, logLineBytes } from '../model/limits.ts';
import type { labelSchema, LogRecord } from '../wire/relay-calls.ts';
import { LineCutter } from './line-cutter.ts';
import { parseLine } from './parse-line.ts';
import { takeTokens, type TokenBucket } from './token-bucket.ts';

type Label = z.output<typeof labelSchema>;

const tailBytes = 4096;
const muteMs = 1_000;
/** Lines kept for a sandbox that has no owner yet. */
const earlyLines = 100;
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
  readonly #socket: Socket;
  readonly #cutter: LineCutter;
  #tail: Buffer = Buffer.alloc(0);
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
    try {
      // A socket object reads pipes by readiness; file streams would hold a thread of the pool for each.
      this.#socket = new Socket({ fd, readable: true, writable: false });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
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
    // What was written just before the end may lie in the pipe still.
    const rest: unknown = this.#socket.read();
    if (Buffer.isBuffer(rest)) this.#take(rest);
    this.#cutter.end();
    this.#tellDropped();
    this.#socket.destroy();
    return this.#tail.toString();
  }

  #take(chunk: Buffer): void {
    this.#tail =
      chunk.length >= tailBytes ? Buffer.from(chunk.subarray(-tailBytes)) : Buffer.concat([this.#tail, chunk]).subarray(-tailBytes);
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
