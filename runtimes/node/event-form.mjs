// Handlers that take an event and return, or call back with, an answer: AWS Lambda's forms.
import { createContext } from './context.mjs';
import { jsonBody, toResponse } from './function-url-response.mjs';
import { logEnd } from './logs.mjs';
import { parse } from './intrinsics.mjs';
import { toHttpEvent } from './rest-event.mjs';

const jsonHeaders = ['content-type', 'application/json'];
const callbackArity = 3;

/**
 * @typedef {import('./invocation.mjs').Invocation} Invocation
 * @typedef {import('./invocation.mjs').Form} Form
 */

/** @param {Function} handler (event, context), or (event, context, callback) @returns {Form} */
export const eventForm = (handler) => ({
  streamsRequests: false,
  answer:
    handler.length >= callbackArity ? (invocation) => callBack(handler, invocation) : (invocation) => callPlainly(handler, invocation),
});

/** @param {Function} handler @param {Invocation} invocation */
function callPlainly(handler, invocation) {
  /** @param {unknown} value */
  const finish = (value) => respond(invocation, value);
  const returned = handler(eventOf(invocation), createContext(invocation, finish));
  if (typeof returned?.then === 'function') return returned.then(finish);
  finish(returned);
  logEnd();
  return undefined;
}

/** @param {Function} handler @param {Invocation} invocation */
function callBack(handler, invocation) {
  /** @param {unknown} value */
  const finish = (value) => {
    try {
      respond(invocation, value);
    } catch (error) {
      invocation.fail(error);
    }
    logEnd();
  };
  const context = createContext(invocation, finish);
  const returned = handler(eventOf(invocation), context, context.done.bind(context));
  // A function of three arguments may be async all the same; then its promise counts.
  return typeof returned?.then === 'function' ? returned.then(finish) : undefined;
}

/** What a handler is given: the event that was sent, or the HTTP request as one. @param {Invocation} invocation */
export function eventOf({ isHttp, head, body, settings }) {
  if (isHttp) return toHttpEvent(head, body.whole, settings);
  return body.whole.length === 0 ? {} : parse(body.whole.toString());
}

/** @param {Invocation} invocation @param {unknown} value @throws Refusal */
function respond({ isHttp, reply }, value) {
  if (reply.isOver) return;
  if (isHttp) {
    const { status, headers, body } = toResponse(value);
    reply.answer(status, headers, body);
  } else {
    reply.answer(200, jsonHeaders, jsonBody(value));
  }
}
