// Where the frames of a WebSocket end in the bytes of a server. Nothing in them is looked at but their lengths: RFC 6455, 5.2.
import { Buffer } from '../node/intrinsics.mjs';

const longestHeader = 10;
const shortestHeader = 2;
const lengthBits = 0x7f;
const [is16Bits, is64Bits] = [126, 127];

export class FrameEdges {
  #header = Buffer.alloc(longestHeader);
  /** Bytes of it that are there. */
  #have = 0;
  /** Bytes of the frame that are to come. */
  #left = 0;

  /** Whether the bytes so far end where a frame does. */
  get isAtEdge() {
    return this.#have === 0 && this.#left === 0;
  }

  /** Goes on with more bytes. @param {Buffer} chunk @returns {number | undefined} where the first frame ends in them, when one does */
  take(chunk) {
    /** @type {number | undefined} */
    let first;
    for (let at = 0; at < chunk.length; ) {
      at = this.#left > 0 ? this.#skip(chunk, at) : this.#read(chunk, at);
      if (this.isAtEdge) first ??= at;
    }
    return first;
  }

  /** @param {Buffer} chunk @param {number} at */
  #skip(chunk, at) {
    const size = Math.min(this.#left, chunk.length - at);
    this.#left -= size;
    return at + size;
  }

  /** @param {Buffer} chunk @param {number} at */
  #read(chunk, at) {
    this.#header[this.#have] = chunk[at] ?? 0;
    this.#have += 1;
    const said = (this.#header[1] ?? 0) & lengthBits;
    const size = this.#have < shortestHeader || said < is16Bits ? shortestHeader : said === is16Bits ? 4 : longestHeader;
    if (this.#have < size) return at + 1;
    this.#left = said === is16Bits ? this.#header.readUInt16BE(2) : said === is64Bits ? Number(this.#header.readBigUInt64BE(2)) : said;
    this.#have = 0;
    return at + 1;
  }
}
