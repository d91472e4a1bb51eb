// AWS Lambda's streamed answers: awslambda.streamifyResponse((event, responseStream, context) => …).
import { createContext } from './context.mjs';
import { eventOf } from './event-form.mjs';
import { checkStatus, flattenHeaders } from './function-url-response.mjs';

const { Writable } = process.getBuiltinModule('node:stream');
/** Marks such handlers; the name is the one that AWS Lambda's own runtime uses. */
const streamMark = Symbol.for('aws.lambda.runtime.handler.streaming');

/** @typedef {{ statusCode?: number, headers?: Record<string, unknown>, cookies?: unknown[] }} Prelude */

/** @type {WeakMap<object, (prelude: Prelude) => void>} */
const preludes = new WeakMap();

/** Puts `awslambda` where code from AWS Lambda expects it. */
export function provideAwsLambda() {
  const awslambda = {
    /** @param {Function} handler */
    streamifyResponse: (handler) => Object.assign(handler, { [streamMark]: 'response' }),
    HttpResponseStream: {
      /** @template {object} T @param {T} stream @param {Prelude} prelude @returns {T} */
      from(stream, prelude) {
        preludes.get(stream)?.(prelude);
        return stream;
      },
    },
  };
  // The AWS SDK assigns it to itself.
  Object.defineProperty(globalThis, 'awslambda', { value: awslambda, configurable: true, writable: true });
}

/** @param {Function} handler */
export const isStreamed = (handler) => streamMark in handler;

/** @param {Function} handler @returns {import('./invocation.mjs').Form} */
export const streamedForm = (handler) => ({
  streamsRequests: false,
  async answer(invocation) {
    const stream = new ResponseStream(invocation.reply);
    stream.on('error', (error) => invocation.fail(error));
    await handler(
      eventOf(invocation),
      stream,
      createContext(invocation, () => stream.end()),
    );
    if (!stream.writableEnded) stream.end();
  },
});

class ResponseStream extends Writable {
  #reply;
  /** @type {Prelude} */
  #prelude = {};

  /** @param {import('./reply.mjs').Reply} reply */
  constructor(reply) {
    super();
    this.#reply = reply;
    reply.onRelease = () => this.destroy();
    preludes.set(this, (prelude) => {
      this.#prelude = { ...prelude };
    });
  }

  /** @param {string} contentType */
  setContentType(contentType) {
    this.#prelude.headers = { ...this.#prelude.headers, 'content-type': contentType };
  }

  /** @override @param {Buffer} chunk @param {string} _encoding @param {(error?: Error | null) => void} next */
  _write(chunk, _encoding, next) {
    this.#sendHead();
    this.#reply.send(chunk).then(() => next(), next);
  }

  /** @override @param {(error?: Error | null) => void} next */
  _final(next) {
    this.#sendHead();
    this.#reply.done();
    next();
  }

  /** @override @param {Error | null} error @param {(error?: Error | null) => void} next */
  _destroy(error, next) {
    // Without an error it was the caller who went away, or the handler who wants to say no more.
    if (error === null) this.#reply.done();
    next(error);
  }

  #sendHead() {
    if (this.#reply.headSent) return;
    const { statusCode = 200, headers = {}, cookies = [] } = this.#prelude;
    const flat = flattenHeaders(headers);
    if (!flat.some((name, at) => at % 2 === 0 && name === 'content-type')) flat.push('content-type', 'application/octet-stream');
    for (const cookie of cookies) flat.push('set-cookie', String(cookie));
    this.#reply.head(checkStatus(statusCode), flat);
  }
}
