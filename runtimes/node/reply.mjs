// An invocation's answer, as frames: a head, a body as the other side takes it, and one last word.
import { bodyChunkBytes, encodeFrame, frame, headerBytes, initialCreditBytes, writeHeader } from './frames.mjs';
import { residentKiB } from './memory.mjs';
import { now } from './monotonic.mjs';
import { Buffer, Promise, stringify } from './intrinsics.mjs';

const { max, min, round } = Math;
const donePayloadBytes = 8;
const doneFrameBytes = headerBytes + donePayloadBytes;
const maxU32 = 0xffff_ffff;
const microsecondsPerMs = 1000;

export class Reply {
  #channel;
  #stream;
  #startedAt = 0;
  #credit = initialCreditBytes;
  #isReleased = false;
  /** Goes on with a body that is held back for want of credit. @type {(() => void) | undefined} */
  #wake;

  /** @param {import('./channel.mjs').Channel} channel @param {number} stream */
  constructor(channel, stream) {
    this.#channel = channel;
    this.#stream = stream;
    this.headSent = false;
    /** Whether the last word is said. What comes later, from a handler that answers twice, goes nowhere. */
    this.isOver = false;
    /** Called once when nobody takes the rest of the body any more. @type {(() => void) | undefined} */
    this.onRelease = undefined;
    /** Called once when the last word is said. @type {(() => void) | undefined} */
    this.onOver = undefined;
  }

  /** The handler begins: its time counts from here. */
  start() {
    this.#startedAt = now();
  }

  /** Lets the other side send more of the request's body. @param {number} bytes */
  grantRequest(bytes) {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(bytes, 0);
    if (!this.isOver) this.#channel.send(frame.requestCredit, this.#stream, payload);
  }

  /** @param {number} bytes */
  takeCredit(bytes) {
    this.#credit += bytes;
    this.#wakeUp();
  }

  /** Nobody takes the rest of the body: what waits to send more of it ends. */
  release() {
    this.#isReleased = true;
    this.#wakeUp();
    this.onRelease?.();
  }

  /**
   * Sends a whole answer, in one piece when it is small.
   * @param {number} status @param {readonly string[]} headers @param {Buffer} body
   * @returns {Promise<void> | undefined} resolves when all of it is sent; undefined when it is
   */
  answer(status, headers, body) {
    if (this.isOver) return undefined;
    if (body.length > bodyChunkBytes || body.length > this.#credit) {
      this.head(status, headers);
      return this.send(body).then(() => this.done());
    }
    const head = stringify([status, headers]);
    const headLength = Buffer.byteLength(head);
    const frames = Buffer.allocUnsafe(headerBytes + headLength + (body.length > 0 ? headerBytes + body.length : 0) + doneFrameBytes);
    writeHeader(frames, 0, frame.head, this.#stream, headLength);
    let at = headerBytes + frames.write(head, headerBytes);
    if (body.length > 0) {
      writeHeader(frames, at, frame.responseBody, this.#stream, body.length);
      at += headerBytes + body.copy(frames, at + headerBytes);
    }
    this.#writeDone(frames, at);
    this.#end(frames);
    return undefined;
  }

  /** @param {number} status @param {readonly string[]} headers */
  head(status, headers) {
    if (this.headSent || this.isOver) return;
    this.headSent = true;
    this.#channel.send(frame.head, this.#stream, stringify([status, headers]));
  }

  /** Sends bytes of the body as the other side takes them. @param {Uint8Array} bytes @returns {Promise<boolean>} whether more may come */
  async send(bytes) {
    for (let at = 0; at < bytes.length; ) {
      while (this.#credit <= 0 && this.#takesMore) await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
      if (!this.#takesMore) return false;
      const size = min(bytes.length - at, bodyChunkBytes, this.#credit);
      this.#credit -= size;
      this.#channel.send(frame.responseBody, this.#stream, Buffer.from(bytes.buffer, bytes.byteOffset + at, size));
      at += size;
      await this.#channel.drained();
    }
    return this.#takesMore;
  }

  /** The answer is complete. */
  done() {
    if (this.isOver) return;
    const bytes = Buffer.allocUnsafe(doneFrameBytes);
    this.#writeDone(bytes, 0);
    this.#end(bytes);
  }

  /** @param {import('./failure.mjs').Failure} failure */
  fail(failure) {
    if (!this.isOver) this.#end(encodeFrame(frame.failed, this.#stream, stringify(failure)));
  }

  get #takesMore() {
    return !this.#isReleased && !this.isOver;
  }

  #wakeUp() {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** @param {Buffer} frames */
  #end(frames) {
    this.isOver = true;
    this.#channel.streams.delete(this.#stream);
    this.#channel.write(frames);
    this.#wakeUp();
    this.onOver?.();
  }

  /** @param {Buffer} target @param {number} at */
  #writeDone(target, at) {
    const handlerMicroseconds = round(max(0, now() - this.#startedAt) * microsecondsPerMs);
    writeHeader(target, at, frame.done, this.#stream, donePayloadBytes);
    target.writeUInt32BE(min(maxU32, handlerMicroseconds), at + headerBytes);
    target.writeUInt32BE(residentKiB(), at + headerBytes + 4);
  }
}
