// A request and its response as Node.js's own server hands them to a listener, without a server: for handlers (req, res).
// They are of Node.js's own classes, so that an app of Express, which gives them other prototypes, takes them as well: what is ours of the
// response are properties of its own.
const { IncomingMessage, ServerResponse } = process.getBuiltinModule('node:http');
const { Duplex } = process.getBuiltinModule('node:stream');

/** @typedef {import('./form-tools.mjs').Invocation} Invocation @typedef {import('./form-tools.mjs').FormTools} FormTools */

const httpPort = 80;
const badRequest = 400;
const maxToldBytes = 1_000;
const highWaterBytes = 64 * 1024;
const jsonType = 'application/json';
const noEvent = Buffer.from('{}');
const bodilessStatuses = new Set([204, 304]);
/** What is between two hops: the platform's to say. */
const hopHeaders = new Set(['connection', 'keep-alive', 'transfer-encoding', 'trailer', 'upgrade']);

/** What a request came by: nothing can be read from it or written to it. */
class Caller extends Duplex {
  /** @param {string} address @param {boolean} isSecure */
  constructor(address, isSecure) {
    super();
    this.remoteAddress = address;
    this.remotePort = httpPort;
    this.encrypted = isSecure;
  }

  /** @override */
  _read() {}

  /** @override @param {unknown} _chunk @param {string} _encoding @param {() => void} next */
  _write(_chunk, _encoding, next) {
    next();
  }

  setTimeout() {
    return this;
  }
}

/** The bytes that came with it: an event is a POST of its JSON. @param {Invocation} invocation */
export const bytesOf = ({ isHttp, body }) => (isHttp || body.whole.length > 0 ? body.whole : noEvent);

/**
 * @template {import('node:http').IncomingMessage} T
 * @param {new (socket: import('node:net').Socket) => T} Class
 * @param {Invocation} invocation @param {boolean} isRead whether its bytes are somewhere else, so that its stream has ended
 * @returns {T}
 */
export function createRequest(Class, invocation, isRead) {
  const { isHttp, head } = invocation;
  const headers = isHttp ? headersOf(head[7]) : { host: 'localhost', 'content-type': jsonType };
  const caller = new Caller(head[5], headers['x-forwarded-proto'] === 'https');
  const request = new Class(/** @type {import('node:net').Socket} */ (/** @type {unknown} */ (caller)));
  request.method = isHttp ? head[3] : 'POST';
  request.url = isHttp ? head[4] : '/';
  request.httpVersion = '1.1';
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  request.headers = headers;
  request.rawHeaders = isHttp ? [...head[7]] : Object.entries(headers).flat();
  const bytes = bytesOf(invocation);
  if (!isRead && bytes.length > 0) request.push(bytes);
  request.push(null);
  request.complete = true;
  if (isRead) request.resume();
  return request;
}

/** As Node.js joins them. @param {readonly string[]} raw names in lower case and values in turn @returns {Record<string, string>} */
function headersOf(raw) {
  /** @type {Record<string, string>} */
  const headers = Object.create(null);
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? (raw[at + 1] ?? '') : `${before}${name === 'cookie' ? '; ' : ', '}${raw[at + 1]}`;
  }
  return headers;
}

/** Where a response goes: to the caller as it is made, or of an event whole. */
class Way {
  #invocation;
  #tools;
  #status = 0;
  /** @type {string[]} */
  #headers = [];
  /** What an event's sender gets. @type {Buffer[]} */
  #pieces = [];

  /** @param {Invocation} invocation @param {FormTools} tools */
  constructor(invocation, tools) {
    this.#invocation = invocation;
    this.#tools = tools;
  }

  /** @param {number} status @param {string[]} headers @throws Refusal */
  head(status, headers) {
    this.#status = this.#tools.checkStatus(status);
    this.#headers = headers;
  }

  /** @param {Buffer} bytes @returns {PromiseLike<unknown> | undefined} */
  send(bytes) {
    const { isHttp, reply } = this.#invocation;
    if (!isHttp) {
      this.#pieces.push(bytes);
      return undefined;
    }
    reply.head(this.#status, this.#headers);
    return reply.send(bytes);
  }

  /** @param {Buffer} bytes the last ones */
  end(bytes) {
    const { isHttp, reply } = this.#invocation;
    if (!isHttp) this.#endEvent(Buffer.concat([...this.#pieces, bytes]));
    else if (!reply.headSent) return reply.answer(this.#status, this.#headers, bytes);
    else return reply.send(bytes).then(() => reply.done());
    return undefined;
  }

  /** @param {Buffer} bytes */
  #endEvent(bytes) {
    if (this.#status < badRequest) void this.#invocation.reply.answer(200, ['content-type', jsonType], jsonOf(bytes));
    else {
      const error = new Error(`the handler answered the event with status ${this.#status}: ${bytes.toString('utf8', 0, maxToldBytes)}`);
      error.name = `Status${this.#status}`;
      this.#invocation.fail(error);
    }
  }
}

/** An event's answer is JSON: what is none becomes a text of it. @param {Buffer} bytes */
export function jsonOf(bytes) {
  const text = bytes.toString();
  try {
    JSON.parse(text);
    return bytes;
  } catch {
    return Buffer.from(text === '' ? 'null' : JSON.stringify(text));
  }
}

/**
 * What a response of ours knows beside what Node.js's does.
 * @typedef {{ way: Way, tools: FormTools, last: Promise<unknown>, pendingBytes: number, isWaitedFor: boolean, hasBody: boolean, over: () => void }} State
 * @type {WeakMap<object, State>}
 */
const states = new WeakMap();

/** @param {object} response @returns {State} */
function stateOf(response) {
  const state = states.get(response);
  if (state === undefined) throw new TypeError('it is no response of this runtime');
  return state;
}

/**
 * @template {import('node:http').ServerResponse} T
 * @param {new (request: import('node:http').IncomingMessage) => T} Class
 * @param {import('node:http').IncomingMessage} request @param {Invocation} invocation @param {FormTools} tools
 * @returns {{ response: T, over: Promise<void> }} over: all of it is sent, or nobody takes the rest
 */
export function createResponse(Class, request, invocation, tools) {
  const response = new Class(request);
  const { promise, resolve } = Promise.withResolvers();
  const hasBody = request.method !== 'HEAD';
  const way = new Way(invocation, tools);
  states.set(response, {
    way,
    tools,
    last: Promise.resolve(),
    pendingBytes: 0,
    isWaitedFor: false,
    hasBody,
    over: () => resolve(undefined),
  });
  Object.assign(response, { writeHead, write, end, flushHeaders, destroy: breakOff(invocation) });
  invocation.reply.onRelease = () => {
    request.emit('aborted');
    response.emit('close');
    resolve(undefined);
  };
  return { response, over: promise };
}

/** @typedef {import('node:http').ServerResponse & { _header: string | null, finished: boolean }} Response */

/**
 * @this {Response}
 * @param {number} status @param {unknown} [reason] @param {unknown} [headers]
 */
function writeHead(status, reason, headers) {
  if (this.headersSent) throw Object.assign(new Error('the head of this response is sent already'), { code: 'ERR_HTTP_HEADERS_SENT' });
  this.statusCode = Number(status);
  for (const [name, value] of pairsOf(typeof reason === 'object' ? reason : headers)) this.setHeader(name, value);
  const { way, tools } = stateOf(this);
  const all = Object.fromEntries(Object.entries(this.getHeaders()).filter(([name]) => !hopHeaders.has(name)));
  way.head(this.statusCode, tools.flattenHeaders(all));
  // What Node.js knows a sent head by.
  this._header = ' ';
  return this;
}

/** @param {unknown} headers as writeHead() takes them: by name, or names and values in turn @returns {[string, string | string[]][]} */
function pairsOf(headers) {
  if (typeof headers !== 'object' || headers === null) return [];
  if (!Array.isArray(headers)) return Object.entries(headers);
  /** @type {[string, string][]} */
  const pairs = [];
  for (let at = 0; at + 1 < headers.length; at += 2) pairs.push([headers[at], headers[at + 1]]);
  return pairs;
}

/** @this {Response} */
function flushHeaders() {
  if (!this.headersSent) this.writeHead(this.statusCode);
  // An event's sender gets no head.
  void stateOf(this).way.send(Buffer.alloc(0));
}

/**
 * @this {Response}
 * @param {string | Uint8Array} chunk @param {unknown} [encoding] @param {unknown} [done]
 */
function write(chunk, encoding, done) {
  if (this.finished) throw Object.assign(new Error('write after end'), { code: 'ERR_STREAM_WRITE_AFTER_END' });
  if (!this.headersSent) this.writeHead(this.statusCode);
  const bytes = toBytes(chunk, encoding);
  const state = stateOf(this);
  const then = callbackOf(encoding, done);
  if (!state.hasBody || bodilessStatuses.has(this.statusCode)) {
    if (then !== undefined) process.nextTick(then);
    return true;
  }
  state.pendingBytes += bytes.length;
  state.last = state.last.then(() => state.way.send(bytes)).then(() => sent(this, state, bytes.length, then));
  state.isWaitedFor = state.pendingBytes >= highWaterBytes;
  return !state.isWaitedFor;
}

/** @param {Response} response @param {State} state @param {number} length @param {(() => void) | undefined} then */
function sent(response, state, length, then) {
  state.pendingBytes -= length;
  then?.();
  if (state.pendingBytes > 0 || !state.isWaitedFor) return;
  state.isWaitedFor = false;
  response.emit('drain');
}

/**
 * @this {Response}
 * @param {unknown} [chunk] @param {unknown} [encoding] @param {unknown} [done]
 */
function end(chunk, encoding, done) {
  if (this.finished) return this;
  const hasChunk = typeof chunk === 'string' || chunk instanceof Uint8Array;
  const then = callbackOf(chunk, encoding, done);
  if (then !== undefined) this.once('finish', then);
  if (!this.headersSent) this.writeHead(this.statusCode);
  this.finished = true;
  const state = stateOf(this);
  const isSent = state.hasBody && !bodilessStatuses.has(this.statusCode);
  const bytes = hasChunk && isSent ? toBytes(chunk, encoding) : Buffer.alloc(0);
  state.last = state.last
    .then(() => state.way.end(bytes))
    .then(() => {
      this.emit('finish');
      this.emit('close');
      state.over();
    });
  return this;
}

/** A response that is broken off is not whole. @param {Invocation} invocation */
const breakOff = (invocation) =>
  /** @this {Response} @param {Error} [error] */
  function destroy(error) {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.finished = true;
    invocation.fail(error ?? new Error('the handler broke its response off'));
    this.emit('close');
    stateOf(this).over();
    return this;
  };

/** @param {unknown} chunk @param {unknown} encoding */
function toBytes(chunk, encoding) {
  if (typeof chunk === 'string')
    return Buffer.from(chunk, /** @type {BufferEncoding} */ (typeof encoding === 'string' ? encoding : 'utf8'));
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw Object.assign(new TypeError(`a piece of a response is text or bytes, not a ${typeof chunk}`), { code: 'ERR_INVALID_ARG_TYPE' });
}

/** @param {...unknown} args @returns {(() => void) | undefined} */
const callbackOf = (...args) => /** @type {(() => void) | undefined} */ (args.find((one) => typeof one === 'function'));

/**
 * Calls a handler, and waits until its response is over. What it returns or resolves with says nothing.
 * @param {() => unknown} call @param {Promise<void>} over
 * @returns {Promise<void>} rejects with what the handler ended with
 */
export function untilOver(call, over) {
  return new Promise((resolve, reject) => {
    over.then(resolve, reject);
    const returned = /** @type {PromiseLike<unknown> | undefined} */ (call());
    if (typeof returned?.then === 'function') returned.then(undefined, reject);
  });
}

export { IncomingMessage, ServerResponse };
