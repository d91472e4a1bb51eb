// One invocation, from its head to `done` or `failed`. Budget: 25 µs of CPU for a small answer, together with its event.
import { Calls } from './calls.mjs';
import { failureOf, Refusal } from './failure.mjs';
import { initialCreditBytes } from './frames.mjs';
import { log, logEnd, withRequest } from './logs.mjs';
import { Reply } from './reply.mjs';
import { CollectedBody, noBody, StreamedBody } from './request-body.mjs';
import { AbortController, Buffer, defineProperty, epochMs, setImmediate } from './intrinsics.mjs';

const httpKind = 0;
const takesCalls = 1;
const offersWebSocket = 1;
const warmUpHeader = 'x-swiftlet-warm-up';
const noHeaders = /** @type {const} */ ([]);
const noBytes = Buffer.alloc(0);
const isOver = 'the invocation is over: what calls other functions belongs before its answer';

/**
 * See `InvokeHead` in src/wire/instance-protocol.ts.
 * @typedef {readonly [kind: number, requestId: string, deadline: number, method: string, target: string, sourceIp: string, bodyLength: number, headers: readonly string[], takesCalls?: number, way?: readonly [routeKey: string, parameters: readonly string[], authorizer?: { jwt?: { claims: Record<string, string> } }] | null, offersWebSocket?: number]} InvokeHead
 *
 * A way to write handlers.
 * @typedef {object} Form
 * @property {boolean} streamsRequests whether it may begin before the request's body is there
 * @property {boolean} [takesWebSockets] whether it knows what to do with a handshake
 * @property {(invocation: Invocation) => PromiseLike<unknown> | undefined} answer throws or rejects with what the user's code did
 * @property {number} [bootMs] of the time until it was there, what a runtime of ours took to boot and not the user's code
 * @property {() => void} [warmUp] loads what its first invocation will need
 * @property {{ limitMs: number, say: (why: string) => Promise<void> }} [farewell] what is done when the instance is to end, and how long that may take
 *
 * A caller's offer of a WebSocket, and the connection that it becomes.
 * @typedef {object} Offer
 * @property {boolean} isOpen whether it is a connection by now
 * @property {(options?: { protocol?: string }) => { socket: WebSocket, response: Response }} accept
 * @property {() => void} goAway the connection is to end soon
 * @property {() => void} fail says to the caller that the function failed, as far as it takes what is sent
 * @property {() => void} cut ends what is left of it
 *
 * @typedef {{ readonly form: Form, readonly settings: import('./instance.mjs').InitRequest }} Served
 */

export class Invocation {
  /** @type {AbortController | undefined} */
  #aborter;
  #isCancelled = false;
  #isStarted = false;
  #channel;
  #stream;
  /** @type {Calls | undefined} */
  #calls;

  /** @param {import('./channel.mjs').Channel} channel @param {number} stream @param {InvokeHead} head @param {Served} served */
  constructor(channel, stream, head, served) {
    this.#channel = channel;
    this.#stream = stream;
    this.head = head;
    this.requestId = head[1];
    this.settings = served.settings;
    this.form = served.form;
    this.reply = new Reply(channel, stream);
    /** The caller's offer of a WebSocket, while it is answered and after it was taken. @type {Offer | undefined} */
    this.upgrade = undefined;
    const length = head[6];
    /** @type {import('./request-body.mjs').Body} */
    this.body = noBody;
    if (length === 0) return;
    if (length > 0 && length <= initialCreditBytes) this.body = new CollectedBody();
    else if (served.form.streamsRequests) this.body = new StreamedBody((bytes) => this.reply.grantRequest(bytes));
    else this.body = new CollectedBody((bytes) => this.reply.grantRequest(bytes));
  }

  get isHttp() {
    return this.head[0] === httpKind;
  }

  get offersWebSocket() {
    return this.head[10] === offersWebSocket;
  }

  /** Whether nobody waits for the answer any more. */
  get isCancelled() {
    return this.#isCancelled;
  }

  /** Until when it may go on, in ms since 1970. A connection has no end of its own: it is as long again, at any time. */
  get deadline() {
    return this.upgrade?.isOpen === true ? epochMs() + this.settings.timeoutMs : this.head[2];
  }

  /** Aborts when nobody waits for the answer any more. */
  get signal() {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.#isCancelled) this.#aborter.abort(hungUp());
    }
    return this.#aborter.signal;
  }

  /** Runs the handler, now or when the body that it needs is there. */
  begin() {
    if (!(this.body instanceof CollectedBody)) this.#run();
  }

  /** @param {Buffer} chunk */
  receive(chunk) {
    this.body.push(chunk);
  }

  receiveEnd() {
    this.body.end();
    if (this.body instanceof CollectedBody) this.#run();
  }

  /** Nobody waits for the answer any more. */
  cancel() {
    if (this.#isCancelled || this.reply.isOver) return;
    this.#isCancelled = true;
    this.#aborter?.abort(hungUp());
    this.body.abort(hungUp());
    this.reply.release();
    // Its body will not be whole any more, so that its handler never begins.
    if (!this.#isStarted) this.reply.done();
  }

  /** The connection is gone that it came by. */
  abandon() {
    this.cancel();
    this.#calls?.end('the connection to the gateway is gone');
  }

  /**
   * Invokes another function.
   * @param {unknown} name @param {unknown} event @param {boolean} isAsync
   */
  call(name, event, isAsync) {
    if (this.#calls === undefined) {
      const calls = new Calls(this.#channel, this.#stream);
      this.#calls = calls;
      if (this.head[8] !== takesCalls) calls.end('the gateway is of a release that takes no calls');
      else if (this.reply.isOver) calls.end(isOver);
      this.reply.onOver = () => calls.end(isOver);
    }
    return this.#calls.make(name, event, isAsync);
  }

  /** @param {Buffer} payload */
  takeCallAnswer(payload) {
    this.#calls?.take(payload);
  }

  /** @param {unknown} error what the user's code threw, or a Refusal */
  fail(error) {
    if (this.reply.isOver) return;
    const failure = failureOf(error, 'HandlerError');
    log('error', failure.stack ?? `${failure.type}: ${failure.message}`, this.requestId);
    if (this.upgrade?.isOpen !== true) this.reply.fail(failure);
    else {
      this.upgrade.fail();
      // The caller's last word leaves before the platform's.
      setImmediate(() => {
        this.reply.fail(failure);
        this.upgrade?.cut();
      });
    }
  }

  /** What it became is to end soon. */
  goAway() {
    this.upgrade?.goAway();
  }

  /** Takes the caller's offer of a WebSocket. @param {{ protocol?: string }} [options] */
  upgradeWebSocket(options) {
    if (this.upgrade === undefined)
      throw new TypeError('the request is no WebSocket handshake; such a one has the header "upgrade: websocket"');
    return this.upgrade.accept(options);
  }

  /** @param {unknown} error what the handler ended with */
  #failLast(error) {
    logEnd();
    this.fail(error);
  }

  #run() {
    this.#isStarted = true;
    if (this.offersWebSocket && this.form.takesWebSockets !== true) {
      this.fail(unsupported());
      return;
    }
    this.reply.start();
    if (!this.isHttp && isWarmUp(this.head[7])) {
      this.reply.answer(204, noHeaders, noBytes);
      return;
    }
    withRequest(this.requestId, () => {
      try {
        this.form.answer(this)?.then(logEnd, (error) => this.#failLast(error));
      } catch (error) {
        this.#failLast(error);
      }
    });
  }
}

/** All that was wanted is that this process is there. Only the platform can say it. @param {readonly string[]} headers of an event */
const isWarmUp = (headers) => headers.length > 0 && headers[0] === warmUpHeader;

function hungUp() {
  const error = new Error('the caller hung up');
  return defineProperty(error, 'name', { value: 'AbortError' });
}

const unsupported = () =>
  new Refusal(
    'WebSocketUnsupported',
    'it takes no WebSocket; export an object with fetch(), and call context.upgradeWebSocket() for requests with the header "upgrade: websocket"',
  );
