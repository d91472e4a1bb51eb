// One invocation: from its head to `done` or `failed`. Budget: 25 µs of CPU for a small answer.
import { createContext } from './context.mjs';
import { failureOf, Refusal } from './failure.mjs';
import { bodyChunkBytes, headerBytes, initialCreditBytes, type, writeHeader } from './frames.mjs';
import { toEvent, toResponse, jsonBody } from './function-url.mjs';
import { log, withRequest } from './logs.mjs';
import { residentKiB } from './memory.mjs';
import { pending } from './pending.mjs';
import { openResponseStream } from './response-stream.mjs';
import { answerFetch } from './fetch-handler.mjs';

const parse = JSON.parse;
const stringify = JSON.stringify;
const monotonic = performance.now.bind(performance);
const empty = Buffer.alloc(0);
const httpKind = 0;

export class Invocation {
  /**
   * @param {import('./channel.mjs').Channel} channel @param {number} stream @param {readonly any[]} head
   * @param {{ handler: import('./load-handler.mjs').Handler, settings: any }} served
   */
  constructor(channel, stream, head, served) {
    this.channel = channel;
    this.stream = stream;
    this.head = head;
    this.handler = served.handler;
    this.settings = served.settings;
    this.requestId = head[1];
    this.bodyLength = head[6];
    /** @type {Buffer[]} */
    this.pieces = [];
    this.received = 0;
    this.credit = initialCreditBytes;
    /** @type {(() => void) | undefined} */
    this.creditWaiter = undefined;
    /** @type {{ push(chunk: Buffer): void, end(): void, abort(error: Error): void } | undefined} */
    this.bodySink = undefined;
    /** @type {AbortController | undefined} */
    this.aborter = undefined;
    this.isOver = false;
    this.headSent = false;
    this.startedAt = monotonic();
    if (this.bodyLength === 0) this.start();
    else if (this.handler.kind === 'fetch' && head[0] === httpKind && (this.bodyLength < 0 || this.bodyLength > initialCreditBytes))
      this.start();
  }

  /** Aborts when nobody waits for the answer any more. */
  get signal() {
    this.aborter ??= new AbortController();
    return this.aborter.signal;
  }

  /** @param {Buffer} chunk */
  receive(chunk) {
    if (this.bodySink !== undefined) {
      this.bodySink.push(chunk);
      return;
    }
    // The decoder's memory is shared with the frames that follow; a small body is copied rather than the whole chunk kept.
    this.pieces.push(Buffer.from(chunk));
    this.received += chunk.length;
    if (this.bodyLength < 0 || this.bodyLength > initialCreditBytes) this.grant(chunk.length);
  }

  receiveEnd() {
    if (this.bodySink !== undefined) this.bodySink.end();
    else this.start();
  }

  /** Lets the other side send more of the body. @param {number} bytes */
  grant(bytes) {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32BE(bytes, 0);
    this.channel.send(type.requestCredit, this.stream, payload);
  }

  /** @param {number} bytes */
  takeCredit(bytes) {
    this.credit += bytes;
    const waiter = this.creditWaiter;
    this.creditWaiter = undefined;
    waiter?.();
  }

  cancel() {
    this.aborter ??= new AbortController();
    this.aborter.abort(new DOMException('The caller hung up', 'AbortError'));
    this.bodySink?.abort(new DOMException('The caller hung up', 'AbortError'));
    // A body that is held back for want of credit goes nowhere now.
    this.takeCredit(Number.MAX_SAFE_INTEGER - this.credit);
  }

  body() {
    return this.pieces.length === 0 ? empty : this.pieces.length === 1 ? this.pieces[0] : Buffer.concat(this.pieces, this.received);
  }

  start() {
    this.startedAt = monotonic();
    withRequest(this.requestId, () => this.run());
  }

  run() {
    try {
      const result = this.call();
      if (typeof result?.then === 'function')
        result.then(
          (value) => this.finish(value),
          (error) => this.fail(error),
        );
      else if (result !== pending) this.finish(result);
    } catch (error) {
      this.fail(error);
    }
  }

  call() {
    const { kind, call } = this.handler;
    if (kind === 'fetch' && this.head[0] === httpKind) return answerFetch(this);
    if (kind === 'fetch')
      throw new Refusal(
        'InvalidResponse',
        'a function with fetch() answers HTTP requests only; send it a request, or export a handler for events',
      );
    const event = this.head[0] === httpKind ? toEvent(this.head, this.body(), this.settings.function) : parseEvent(this.body());
    const context = createContext(this);
    if (kind === 'callback') {
      const returned = call(event, context, (error, value) => (error ? this.fail(error) : this.finish(value)));
      // A function of three arguments may be async all the same; then its promise counts.
      return typeof returned?.then === 'function' ? returned.then((value) => (this.isOver ? pending : value)) : pending;
    }
    if (kind === 'stream') return call(event, openResponseStream(this), context).then(() => pending);
    return call(event, context);
  }

  /** @param {unknown} value */
  finish(value) {
    if (this.isOver || value === pending) return;
    try {
      if (this.head[0] !== httpKind) this.answer(200, ['content-type', 'application/json'], jsonBody(value));
      else {
        const { status, headers, body } = toResponse(value);
        this.answer(status, headers, body);
      }
    } catch (error) {
      this.fail(error);
    }
  }

  /** Sends a whole answer in one piece. @param {number} status @param {readonly string[]} headers @param {Buffer} body */
  answer(status, headers, body) {
    if (body.length > this.credit || body.length > bodyChunkBytes) {
      this.sendHead(status, headers);
      void this.sendBody(body).then(() => this.done());
      return;
    }
    const head = stringify([status, headers]);
    const headLength = Buffer.byteLength(head);
    const bodyFrame = body.length > 0 ? headerBytes + body.length : 0;
    const frames = Buffer.allocUnsafe(headerBytes + headLength + bodyFrame + doneFrameBytes);
    writeHeader(frames, 0, type.head, this.stream, headLength);
    frames.write(head, headerBytes);
    let at = headerBytes + headLength;
    if (bodyFrame > 0) {
      writeHeader(frames, at, type.responseBody, this.stream, body.length);
      body.copy(frames, at + headerBytes);
      at += bodyFrame;
    }
    this.writeDone(frames, at);
    this.end();
    this.channel.write(frames);
  }

  /** @param {number} status @param {readonly string[]} headers */
  sendHead(status, headers) {
    this.headSent = true;
    this.channel.send(type.head, this.stream, stringify([status, headers]));
  }

  /** Sends bytes of the body as the other side takes them. @param {Uint8Array} bytes */
  async sendBody(bytes) {
    for (let at = 0; at < bytes.length && !this.isOver; ) {
      while (this.credit <= 0 && !this.isOver) await new Promise((resolve) => (this.creditWaiter = /** @type {() => void} */ (resolve)));
      const size = Math.min(bytes.length - at, bodyChunkBytes, this.credit);
      this.credit -= size;
      this.channel.send(type.responseBody, this.stream, Buffer.from(bytes.buffer, bytes.byteOffset + at, size));
      at += size;
      await this.channel.drained();
    }
  }

  done() {
    if (this.isOver) return;
    const frame = Buffer.allocUnsafe(doneFrameBytes);
    this.writeDone(frame, 0);
    this.end();
    this.channel.write(frame);
  }

  /** @param {unknown} error */
  fail(error) {
    if (this.isOver) return;
    const failure = failureOf(error, 'HandlerError');
    log('error', failure.stack ?? `${failure.type}: ${failure.message}`);
    this.end();
    this.channel.send(type.failed, this.stream, stringify(failure));
  }

  end() {
    this.isOver = true;
    this.channel.streams.delete(this.stream);
  }

  /** @param {Buffer} target @param {number} at */
  writeDone(target, at) {
    writeHeader(target, at, type.done, this.stream, 8);
    target.writeUInt32BE(Math.min(0xffff_ffff, Math.round((monotonic() - this.startedAt) * 1000)), at + headerBytes);
    target.writeUInt32BE(residentKiB(), at + headerBytes + 4);
  }
}

const doneFrameBytes = headerBytes + 8;

function parseEvent(body) {
  return body.length === 0 ? {} : parse(body.toString());
}
