// One invocation, from its head to `done` or `failed`. Budget: 25 µs of CPU for a small answer, together with its event.
import { failureOf } from './failure.mjs';
import { initialCreditBytes } from './frames.mjs';
import { log, logEnd, withRequest } from './logs.mjs';
import { Reply } from './reply.mjs';
import { CollectedBody, noBody, StreamedBody } from './request-body.mjs';
import { AbortController, defineProperty } from './intrinsics.mjs';

const httpKind = 0;

/**
 * See `InvokeHead` in src/wire/instance-protocol.ts.
 * @typedef {readonly [kind: number, requestId: string, deadline: number, method: string, target: string, sourceIp: string, bodyLength: number, headers: readonly string[]]} InvokeHead
 *
 * A way to write handlers.
 * @typedef {object} Form
 * @property {boolean} streamsRequests whether it may begin before the request's body is there
 * @property {(invocation: Invocation) => PromiseLike<unknown> | undefined} answer throws or rejects with what the user's code did
 * @property {() => void} [warmUp] loads what its first invocation will need
 *
 * @typedef {{ readonly form: Form, readonly settings: import('./instance.mjs').InitRequest }} Served
 */

export class Invocation {
  /** @type {AbortController | undefined} */
  #aborter;
  #isCancelled = false;
  #isStarted = false;

  /** @param {import('./channel.mjs').Channel} channel @param {number} stream @param {InvokeHead} head @param {Served} served */
  constructor(channel, stream, head, served) {
    this.head = head;
    this.requestId = head[1];
    this.settings = served.settings;
    this.form = served.form;
    this.reply = new Reply(channel, stream);
    const length = head[6];
    if (length === 0) this.body = noBody;
    else if (length > 0 && length <= initialCreditBytes) this.body = new CollectedBody();
    else if (served.form.streamsRequests) this.body = new StreamedBody((bytes) => this.reply.grantRequest(bytes));
    else this.body = new CollectedBody((bytes) => this.reply.grantRequest(bytes));
  }

  get isHttp() {
    return this.head[0] === httpKind;
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

  /** @param {unknown} error what the user's code threw, or a Refusal */
  fail(error) {
    if (this.reply.isOver) return;
    const failure = failureOf(error, 'HandlerError');
    log('error', failure.stack ?? `${failure.type}: ${failure.message}`, this.requestId);
    this.reply.fail(failure);
  }

  /** @param {unknown} error what the handler ended with */
  #failLast(error) {
    logEnd();
    this.fail(error);
  }

  #run() {
    this.#isStarted = true;
    this.reply.start();
    withRequest(this.requestId, () => {
      try {
        this.form.answer(this)?.then(logEnd, (error) => this.#failLast(error));
      } catch (error) {
        this.#failLast(error);
      }
    });
  }
}

function hungUp() {
  const error = new Error('the caller hung up');
  return defineProperty(error, 'name', { value: 'AbortError' });
}
