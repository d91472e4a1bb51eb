// The framing of src/wire/frames.ts and the numbers of src/wire/instance-protocol.ts, written again since nothing of ours can be
// imported here: u32 length of the payload, u8 kind, u32 stream, payload; big-endian.
import { Buffer } from './intrinsics.mjs';

export const frame = {
  invoke: 0x01,
  requestBody: 0x02,
  requestEnd: 0x03,
  cancel: 0x04,
  responseCredit: 0x05,
  callAnswer: 0x06,
  goAway: 0x07,
  head: 0x11,
  responseBody: 0x12,
  done: 0x13,
  failed: 0x14,
  requestCredit: 0x15,
  begun: 0x16,
  call: 0x17,
  probe: 0x20,
  state: 0x21,
  init: 0x22,
  initialised: 0x23,
  initFailed: 0x24,
  load: 0x25,
  rest: 0x26,
  resting: 0x27,
  end: 0x28,
  preload: 0x29,
  preloaded: 0x2a,
};

export const protocolVersion = 1;
export const headerBytes = 9;
export const maxPayloadBytes = 1024 * 1024;
export const bodyChunkBytes = 64 * 1024;
export const initialCreditBytes = 256 * 1024;

/** @param {Buffer} target @param {number} at @param {number} kind @param {number} stream @param {number} length of the payload */
export function writeHeader(target, at, kind, stream, length) {
  target.writeUInt32BE(length, at);
  target[at + 4] = kind;
  target.writeUInt32BE(stream, at + 5);
}

/** @param {number} kind @param {number} stream @param {string | Buffer} payload a string is written as UTF-8 */
export function encodeFrame(kind, stream, payload) {
  const length = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length;
  const bytes = Buffer.allocUnsafe(headerBytes + length);
  writeHeader(bytes, 0, kind, stream, length);
  if (typeof payload === 'string') bytes.write(payload, headerBytes);
  else payload.copy(bytes, headerBytes);
  return bytes;
}

/**
 * Cuts a byte stream into frames. A payload handed out shares memory with the chunk that it came in.
 * @param {(kind: number, stream: number, payload: Buffer) => void} sink
 * @returns {(chunk: Buffer) => void} throws RangeError for a frame that is too long
 */
export function frameDecoder(sink) {
  /** @type {Buffer[]} */
  let pieces = [];
  let held = 0;
  let wanted = headerBytes;

  /** @param {Buffer} chunk @returns {Buffer | undefined} all bytes there are, once they are enough to go on */
  const join = (chunk) => {
    if (held === 0) return chunk;
    pieces.push(chunk);
    held += chunk.length;
    if (held < wanted) return undefined;
    const bytes = Buffer.concat(pieces, held);
    pieces = [];
    held = 0;
    return bytes;
  };

  return (chunk) => {
    const bytes = join(chunk);
    if (bytes === undefined) return;
    let at = 0;
    wanted = headerBytes;
    while (bytes.length - at >= headerBytes) {
      const length = bytes.readUInt32BE(at);
      if (length > maxPayloadBytes) throw new RangeError('a frame is too long');
      const end = at + headerBytes + length;
      if (end > bytes.length) {
        wanted = headerBytes + length;
        break;
      }
      sink(bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5), bytes.subarray(at + headerBytes, end));
      at = end;
    }
    if (at < bytes.length) {
      pieces = [at === 0 ? bytes : bytes.subarray(at)];
      held = bytes.length - at;
    }
  };
}
