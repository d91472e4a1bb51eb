// A request's body on its way in. All three kinds take `push`, `end` and `abort`; what comes after the end is dropped.
import { Buffer } from './intrinsics.mjs';

const empty = Buffer.alloc(0);

/** @typedef {{ readonly whole: Buffer, push(chunk: Buffer): void, end(): void, abort(error: Error): void }} Body */

/** @type {Body} */
export const noBody = { whole: empty, push: () => undefined, end: () => undefined, abort: () => undefined };

/** A body that is kept until it is whole. */
export class CollectedBody {
  /** @type {Buffer[]} */
  #pieces = [];
  #grant;

  /** @param {(bytes: number) => void} [grant] lets more bytes come; needed for a body over the initial credit */
  constructor(grant) {
    this.#grant = grant;
  }

  get whole() {
    return this.#pieces.length === 1 && this.#pieces[0] !== undefined ? this.#pieces[0] : Buffer.concat(this.#pieces);
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    this.#pieces.push(chunk);
    this.#grant?.(chunk.length);
  }

  end() {}

  abort() {}
}

/** A body that the handler reads while it comes; what has been read makes room for more. */
export class StreamedBody {
  /** @type {ReadableStreamDefaultController<Uint8Array> | undefined} */
  #controller;
  #grant;
  /** Bytes that the handler has been given, or soon will be, and that the other side does not know of yet. */
  #owed = 0;

  /** @param {(bytes: number) => void} grant lets more bytes come */
  constructor(grant) {
    this.#grant = grant;
    /** @type {ReadableStream<Uint8Array>} */
    this.stream = new ReadableStream({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#payBack(),
      cancel: () => {
        // The handler wants no more: the rest flows by and is dropped.
        this.#controller = undefined;
        this.#payBack();
      },
    });
  }

  get whole() {
    return empty;
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    this.#owed += chunk.length;
    // A copy: the memory that it came in holds other frames too, and user code may take hold of all of it.
    this.#controller?.enqueue(new Uint8Array(chunk));
    if (this.#controller === undefined || (this.#controller.desiredSize ?? 0) > 0) this.#payBack();
  }

  end() {
    this.#controller?.close();
    this.#controller = undefined;
  }

  /** @param {Error} error */
  abort(error) {
    this.#controller?.error(error);
    this.#controller = undefined;
  }

  #payBack() {
    if (this.#owed > 0) this.#grant(this.#owed);
    this.#owed = 0;
  }
}
