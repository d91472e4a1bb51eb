/** An answer that goes to no connection: the gateway itself is who waits for it. Budget: 3 µs for one that comes in one piece. */
import { type IncomingHttpHeaders, type IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { SwiftletError } from '../../model/errors.ts';
import { deliveryHeaders } from '../../wire/delivery.ts';

export interface InnerAnswer {
  readonly status: number;
  readonly contentType: string;
  /** The code of what went wrong, when the platform says it. */
  readonly error: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** An answer that comes as the function sends it. */
export interface InnerStream {
  readonly error: undefined;
  readonly headers: IncomingHttpHeaders;
  readonly stream: AsyncIterable<Buffer>;
}

/** Whether so many more bytes of an answer may be held. */
export type Takes = (bytes: number) => boolean;

type Written = (error: Error | null | undefined) => void;

/** Written as any answer is, by who knows no other kind. */
export class HeldAnswer extends ServerResponse {
  readonly #takes: Takes;
  readonly #mayStream: boolean;
  readonly #settled = Promise.withResolvers<InnerAnswer | InnerStream>();
  #headers: IncomingHttpHeaders = {};
  readonly #chunks: Buffer[] = [];
  #stream: Readable | undefined;
  #isFull = false;

  /**
   * @param takes asked for each piece of an answer that is held as a whole
   * @param mayStream whether an answer goes on as it comes; what failed is held nevertheless
   */
  constructor(request: IncomingMessage, takes: Takes, mayStream: boolean) {
    super(request);
    this.#takes = takes;
    this.#mayStream = mayStream;
  }

  /** @throws SwiftletError ResponseTooLarge when no more may be held, ClientClosedRequest when it was destroyed before its end */
  get answer(): Promise<InnerAnswer | InnerStream> {
    return this.#settled.promise;
  }

  /**
   * Forgets what was written, so that an error can be told in its place.
   * @returns false when it went on already
   */
  takeBack(): boolean {
    if (this.#stream !== undefined || this.destroyed) return false;
    this.#chunks.length = 0;
    return true;
  }

  override writeHead(status: number, ...more: readonly unknown[]): this {
    const said = more.at(-1);
    this.statusCode = status;
    this.#headers = Array.isArray(said) ? byName(said) : {};
    if (!this.#mayStream || this.#headers[deliveryHeaders.error] !== undefined) return this;
    this.#stream = new Readable({
      read: () => this.#goOn(),
      destroy: (error, done) => {
        this.destroy();
        done(error);
      },
    });
    this.#settled.resolve({ headers: this.#headers, error: undefined, stream: this.#stream });
    return this;
  }

  /** @param done its memory is used again once this is called */
  override write(chunk: Buffer | string, encoding?: BufferEncoding | Written, done?: Written): boolean {
    const release = typeof encoding === 'function' ? encoding : done;
    const bytes = bytesOf(chunk, encoding, release !== undefined);
    release?.(undefined);
    if (this.destroyed || bytes.length === 0) return true;
    if (this.#stream !== undefined) {
      const isTaken = this.#stream.push(bytes);
      this.#isFull = !isTaken;
      return isTaken;
    }
    if (this.#takes(bytes.length)) this.#chunks.push(bytes);
    else this.#fail(new SwiftletError('ResponseTooLarge', 'the answer is longer than what may be held of it; hand over a reference'));
    return true;
  }

  override end(chunk?: unknown, encoding?: BufferEncoding | (() => void)): this {
    if (typeof chunk === 'string') this.write(chunk, typeof encoding === 'string' ? encoding : 'utf8');
    else if (Buffer.isBuffer(chunk)) this.write(chunk);
    if (this.destroyed) return this;
    if (this.#stream !== undefined) {
      this.#stream.push(null);
      return this;
    }
    const { statusCode: status } = this;
    const { 'content-type': contentType = '', [deliveryHeaders.error]: error } = this.#headers;
    const [first] = this.#chunks;
    const body = first !== undefined && this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks);
    const code = typeof error === 'string' ? error : undefined;
    this.#settled.resolve({ status, contentType, error: code, headers: this.#headers, body });
    return this;
  }

  /** The head goes on with the first piece, and nobody waits for it alone. */
  override flushHeaders(): void {}

  override destroy(): this {
    this.#fail(new SwiftletError('ClientClosedRequest', 'the answer broke off before its end'));
    return this;
  }

  #goOn(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.emit('drain');
  }

  #fail(error: SwiftletError): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#settled.reject(error);
    this.#stream?.destroy(error);
    process.nextTick(closed, this);
  }
}

const closed = (answer: HeldAnswer): void => void answer.emit('close');

/** @param isLent whether its memory is somebody else's */
function bytesOf(chunk: Buffer | string, encoding: BufferEncoding | Written | undefined, isLent: boolean): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8');
  return isLent ? Buffer.from(chunk) : chunk;
}

/** @param said names and values in turn, the names in lower case; of two with one name the first counts */
function byName(said: readonly unknown[]): IncomingHttpHeaders {
  const headers: Record<string, string> = {};
  for (let at = 0; at + 1 < said.length; at += 2) headers[String(said[at])] ??= String(said[at + 1]);
  return headers;
}
