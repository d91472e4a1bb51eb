// The handler's second argument: AWS Lambda's names, and `requestId`, `signal` and `waitUntil`.
import { addBackground } from './background.mjs';
import { toParameters } from './function-url-event.mjs';
import { logGroupOf } from './set-environment.mjs';
import { Buffer, parse } from './intrinsics.mjs';

const { now } = Date;
const contextHeader = 'x-amz-client-context';
const traceHeader = 'traceparent';

class Context {
  /** @type {import('./invocation.mjs').Invocation} */
  #invocation;
  #finish;
  /** As on AWS Lambda. An answer goes out at once here, whatever this says. */
  callbackWaitsForEmptyEventLoop = true;

  /** @param {import('./invocation.mjs').Invocation} invocation @param {(value: unknown) => void} finish */
  constructor(invocation, finish) {
    const { settings, requestId } = invocation;
    this.#invocation = invocation;
    this.#finish = finish;
    this.functionName = settings.function;
    this.functionVersion = String(settings.version);
    this.invokedFunctionArn = `arn:swiftlet:functions:local:default:function:${settings.function}`;
    this.memoryLimitInMB = String(settings.memoryMiB);
    this.awsRequestId = requestId;
    this.requestId = requestId;
    this.logGroupName = logGroupOf(settings.function);
    this.logStreamName = settings.instanceId;
  }

  /** Aborts when the caller has hung up. */
  get signal() {
    return this.#invocation.signal;
  }

  /** What the route's path has in the place of its parameters, by their names; empty at the function's own address. */
  get pathParameters() {
    return toParameters(this.#invocation.head[9]?.[1] ?? []);
  }

  /** What the token says that the caller showed at an address that wants one; empty elsewhere. */
  get claims() {
    return this.#invocation.head[9]?.[2]?.jwt?.claims ?? {};
  }

  /** What a client of the Lambda API sent along; undefined when it sent nothing. */
  get clientContext() {
    const { isHttp, head } = this.#invocation;
    const [name, value] = head[7];
    return isHttp || name !== contextHeader || value === undefined ? undefined : parse(Buffer.from(value, 'base64').toString());
  }

  /** The trace that the invocation belongs to, for what it calls: a `traceparent` of W3C Trace Context; undefined when it belongs to none. */
  get traceparent() {
    const headers = this.#invocation.head[7];
    // Names stand at even places.
    for (let at = 0; at < headers.length; at += 2) if (headers[at] === traceHeader) return headers[at + 1];
    return undefined;
  }

  /**
   * Announces work that goes on after the answer: the instance is neither frozen nor ended for being idle before it has ended, within the
   * function's time limit.
   * @param {unknown} work a promise; what it rejects with is logged
   */
  waitUntil(work) {
    addBackground(work, this.#invocation.deadline, this.requestId);
  }

  /**
   * Invokes another function, one that this function's `calls` names.
   * @param {string} name
   * @param {unknown} [event] anything that JSON can say
   * @param {{ async?: boolean }} [options] async: the event is stored, and nobody waits for the answer
   * @returns {Promise<unknown>} what it returned; with `async` the event's `{ id }`. Rejects with an error that has `code` and `status`
   */
  invoke(name, event, { async: isAsync = false } = {}) {
    return this.#invocation.call(name, event, isAsync);
  }

  /**
   * Takes a WebSocket handshake. To be called by fetch(), which returns the response; the socket opens then.
   * @param {{ protocol?: string }} [options] protocol: one of those that the caller offers
   * @returns {{ socket: WebSocket, response: Response }}
   */
  upgradeWebSocket(options) {
    return this.#invocation.upgradeWebSocket(options);
  }

  getRemainingTimeInMillis() {
    return Math.max(0, Math.floor(this.#invocation.deadline - now()));
  }

  // What handlers were given before there were callbacks and promises.

  /** @param {unknown} error @param {unknown} value */
  done(error, value) {
    if (error) this.fail(error);
    else this.succeed(value);
  }

  /** @param {unknown} value */
  succeed(value) {
    this.#finish(value);
  }

  /** @param {unknown} error */
  fail(error) {
    this.#invocation.fail(error);
  }
}

/** @param {import('./invocation.mjs').Invocation} invocation @param {(value: unknown) => void} finish gives the answer */
export const createContext = (invocation, finish) => new Context(invocation, finish);
