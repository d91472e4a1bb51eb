/**
 * The framing of every Swiftlet socket. Budget: below 2 µs a frame, no copy of a payload that arrives in one piece.
 *
 *   0        4      5          9
 *   | length | type |  stream  |  payload … |     length counts the payload only; integers are big-endian
 */
export const headerBytes = 9;
/** A longer payload is a breach of protocol: the connection is closed. Bodies go in chunks well below it. */
export const maxPayloadBytes = 1024 * 1024;
export const bodyChunkBytes = 64 * 1024;

export type FrameSink = (type: number, stream: number, payload: Buffer) => void;

const nothing: Buffer = Buffer.alloc(0);

/** Small frames are written one after another into a slab, so that those of one turn are one piece already. */
const slabBytes = 32 * 1024;
const smallBytes = 4 * 1024;
const utf8BytesPerUnit = 3;
let slab = Buffer.allocUnsafeSlow(slabBytes);
let slabUsed = 0;

/**
 * Writes a frame's header and payload as one buffer.
 * @param payload at most what the other end's decoder allows; a string is written as UTF-8
 */
export function encodeFrame(type: number, stream: number, payload: Buffer | string = nothing): Buffer {
  const most = headerBytes + payload.length * (typeof payload === 'string' ? utf8BytesPerUnit : 1);
  if (most > smallBytes) {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    const frame = Buffer.allocUnsafe(headerBytes + bytes.length);
    writeFrame(frame, 0, type, stream, bytes);
    return frame;
  }
  if (most > slabBytes - slabUsed) {
    slab = Buffer.allocUnsafeSlow(slabBytes);
    slabUsed = 0;
  }
  const start = slabUsed;
  slabUsed = writeFrame(slab, start, type, stream, payload);
  return slab.subarray(start, slabUsed);
}

/** @returns where it ends */
function writeFrame(target: Buffer, at: number, type: number, stream: number, payload: Buffer | string): number {
  const start = at + headerBytes;
  const length = typeof payload === 'string' ? target.write(payload, start) : payload.copy(target, start);
  target.writeUInt32BE(length, at);
  target[at + 4] = type;
  target.writeUInt32BE(stream, at + 5);
  return start + length;
}

/** Frames as one piece, without a copy where they lie one after another. @param bytes their length together */
export function joinFrames(frames: readonly Buffer[], bytes: number): Buffer {
  const first = frames[0] ?? nothing;
  let end = first.byteOffset;
  for (const frame of frames) {
    if (frame.buffer !== first.buffer || frame.byteOffset !== end) return Buffer.concat(frames, bytes);
    end += frame.length;
  }
  return frames.length === 1 ? first : Buffer.from(first.buffer, first.byteOffset, bytes);
}

/** Cuts a byte stream into frames. A payload handed out may share memory with the chunk it came in. */
export class FrameDecoder {
  readonly #sink: FrameSink;
  readonly #maxPayload: number;
  #rest: Buffer = nothing;
  #pieces: Buffer[] = [];
  #held = 0;
  #wanted = headerBytes;

  /** @param maxPayload bytes of a payload; more is for ends that trust each other */
  constructor(sink: FrameSink, maxPayload = maxPayloadBytes) {
    this.#sink = sink;
    this.#maxPayload = maxPayload;
  }

  /**
   * Takes the next bytes and calls the sink for every frame they complete.
   * @throws RangeError when a frame is longer than allowed; the connection must then be closed
   */
  push(chunk: Buffer): void {
    if (this.#held > 0) {
      this.#pieces.push(chunk);
      this.#held += chunk.length;
      if (this.#held < this.#wanted) return;
      this.#rest = Buffer.concat(this.#pieces, this.#held);
      this.#pieces = [];
      this.#held = 0;
    } else {
      this.#rest = chunk;
    }
    this.#drain();
  }

  #drain(): void {
    const bytes = this.#rest;
    this.#rest = nothing;
    let at = 0;
    this.#wanted = headerBytes;
    while (bytes.length - at >= headerBytes) {
      const length = bytes.readUInt32BE(at);
      if (length > this.#maxPayload)
        throw new RangeError(`a frame of ${String(length)} bytes is over the limit of ${String(this.#maxPayload)}`);
      const end = at + headerBytes + length;
      if (end > bytes.length) {
        this.#wanted = headerBytes + length;
        break;
      }
      this.#sink(bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5), bytes.subarray(at + headerBytes, end));
      at = end;
    }
    if (at < bytes.length) {
      this.#pieces.push(at === 0 ? bytes : bytes.subarray(at));
      this.#held = bytes.length - at;
    }
  }
}
