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

/** How a decoder's bytes come and go, where that is not the usual way. */
export interface DecoderOptions {
  /** Bytes of a payload; more is for ends that trust each other. */
  readonly maxPayload?: number;
  /** The memory of what is pushed belongs to the caller, who uses it again: what is kept is copied, and so must the sink. */
  readonly isLent?: boolean;
  /** Asked for a payload that is not whole yet: whether its pieces are to be handed out one after another, as they come. */
  readonly inPieces?: (type: number, stream: number) => boolean;
}

/** Cuts a byte stream into frames. A payload handed out may share memory with the chunk it came in. */
export class FrameDecoder {
  readonly #sink: FrameSink;
  readonly #maxPayload: number;
  readonly #isLent: boolean;
  readonly #inPieces: (type: number, stream: number) => boolean;
  #pieces: Buffer[] = [];
  #held = 0;
  #wanted = headerBytes;
  /** What is left of a payload that is handed out in pieces. */
  #left = 0;
  #type = 0;
  #stream = 0;

  constructor(sink: FrameSink, { maxPayload = maxPayloadBytes, isLent = false, inPieces = () => false }: DecoderOptions = {}) {
    this.#sink = sink;
    this.#maxPayload = maxPayload;
    this.#isLent = isLent;
    this.#inPieces = inPieces;
  }

  /**
   * Takes the next bytes and calls the sink for every frame they complete.
   * @throws RangeError when a frame is longer than allowed; the connection must then be closed
   */
  push(chunk: Buffer): void {
    if (this.#left > 0) this.#cut(chunk, this.#handOut(chunk, 0));
    else if (this.#held === 0) this.#cut(chunk, 0);
    else {
      this.#keep(chunk);
      if (this.#held < this.#wanted) return;
      const bytes = Buffer.concat(this.#pieces, this.#held);
      this.#pieces = [];
      this.#held = 0;
      this.#cut(bytes, 0);
    }
  }

  #cut(bytes: Buffer, from: number): void {
    let at = from;
    this.#wanted = headerBytes;
    while (bytes.length - at >= headerBytes) {
      const length = bytes.readUInt32BE(at);
      if (length > this.#maxPayload)
        throw new RangeError(`a frame of ${String(length)} bytes is over the limit of ${String(this.#maxPayload)}`);
      const type = bytes[at + 4] ?? 0;
      const stream = bytes.readUInt32BE(at + 5);
      const start = at + headerBytes;
      if (start + length > bytes.length) {
        if (this.#inPieces(type, stream)) at = this.#handOutFirst(type, stream, length, bytes, start);
        else this.#wanted = headerBytes + length;
        break;
      }
      at = start + length;
      this.#sink(type, stream, bytes.subarray(start, at));
    }
    if (at < bytes.length) this.#keep(at === 0 ? bytes : bytes.subarray(at));
  }

  #handOutFirst(type: number, stream: number, length: number, bytes: Buffer, from: number): number {
    this.#type = type;
    this.#stream = stream;
    this.#left = length;
    return this.#handOut(bytes, from);
  }

  /** The next piece of a payload, if any of it is here. @returns where it ends */
  #handOut(bytes: Buffer, from: number): number {
    const end = Math.min(bytes.length, from + this.#left);
    this.#left -= end - from;
    if (end > from) this.#sink(this.#type, this.#stream, bytes.subarray(from, end));
    return end;
  }

  #keep(bytes: Buffer): void {
    this.#pieces.push(this.#isLent ? Buffer.from(bytes) : bytes);
    this.#held += bytes.length;
  }
}
