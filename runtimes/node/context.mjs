// The handler's second argument: AWS Lambda's names, and `requestId`, `signal` and `waitUntil`.
import { addBackground } from './background.mjs';
import { logGroupOf } from './set-environment.mjs';

const { now } = Date;

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

  /**
   * Announces work that goes on after the answer: the instance is neither frozen nor ended for being idle before it has ended, within the
   * function's time limit.
   * @param {unknown} work a promise; what it rejects with is logged
   */
  waitUntil(work) {
    addBackground(work, this.#invocation.head[2], this.requestId);
  }

  getRemainingTimeInMillis() {
    return Math.max(0, this.#invocation.head[2] - now());
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
