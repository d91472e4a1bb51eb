// Handlers in the web's own form: fetch(request) → Response, both of them streamed.
import { createContext } from './context.mjs';
import { Refusal } from './failure.mjs';
import { flattenFetchHeaders } from './fetch-headers.mjs';
import { checkHeaders, checkStatus } from './function-url-response.mjs';
import { StreamedBody } from './request-body.mjs';
import { Upgrade } from './upgrade.mjs';
import { warmUpFetch } from './warm-up-fetch.mjs';
import { Buffer, env } from './intrinsics.mjs';

/** @typedef {import('./invocation.mjs').Invocation} Invocation */

const bodiless = new Set(['GET', 'HEAD']);

/** @param {{ fetch: Function }} app @returns {import('./invocation.mjs').Form} */
export const fetchForm = (app) => ({
  streamsRequests: true,
  takesWebSockets: true,
  warmUp: warmUpFetch,
  async answer(invocation) {
    if (!invocation.isHttp) {
      throw new Refusal(
        'InvalidResponse',
        'a handler with fetch() answers HTTP requests only; send it a request, or export a function for events',
      );
    }
    const context = createContext(invocation, () => undefined);
    const ask = () => app.fetch(toRequest(invocation), env, context);
    if (invocation.offersWebSocket) await answerOffer(invocation, ask);
    else await send(invocation, await ask());
  },
});

const leastRedirect = 300;

/** Answers a handshake: with the connection that fetch() took, or with its reason why not. @param {Invocation} invocation @param {() => unknown} ask */
async function answerOffer(invocation, ask) {
  const upgrade = new Upgrade(invocation, await import('./web-socket.mjs'));
  invocation.upgrade = upgrade;
  try {
    const returned = await ask();
    if (upgrade.isTakenBy(returned)) await upgrade.run();
    else {
      if (isResponse(returned) && returned.status < leastRedirect) throw notTaken(returned.status);
      await send(invocation, returned);
    }
  } finally {
    upgrade.cut();
  }
}

/** A caller can do nothing with such an answer, and its author has not thought of it. @param {number} status */
const notTaken = (status) =>
  new Refusal(
    'WebSocketUnsupported',
    `fetch() answered a WebSocket handshake with status ${status}; to take it, call context.upgradeWebSocket() and return its response`,
  );

/** @param {Invocation} invocation */
function toRequest(invocation) {
  const [, , , method, target, , , raw] = invocation.head;
  const headers = new Headers();
  let host = 'localhost';
  let scheme = 'http';
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    if (name === 'host') host = value;
    else if (name === 'x-forwarded-proto') scheme = value;
    headers.append(name, value);
  }
  const base = URL.canParse(`${scheme}://${host}`) ? `${scheme}://${host}` : 'http://localhost';
  return new Request(base + target, { method, headers, signal: invocation.signal, ...bodyOf(invocation, method) });
}

/** @param {Invocation} invocation @param {string} method */
function bodyOf({ body }, method) {
  if (bodiless.has(method)) {
    // A request of such a method has none; what is sent all the same flows by and is dropped.
    if (body instanceof StreamedBody) void body.stream.cancel();
    return {};
  }
  if (body instanceof StreamedBody) return { body: body.stream, duplex: /** @type {const} */ ('half') };
  return body.whole.length > 0 ? { body: new Uint8Array(body.whole) } : {};
}

/** @param {Invocation} invocation @param {unknown} value */
async function send({ reply }, value) {
  if (!isResponse(value)) {
    const what = value === undefined ? 'nothing' : value === null ? 'null' : `a ${typeof value}`;
    throw new Refusal('InvalidResponse', `fetch() returned ${what}; it must return a Response`);
  }
  const headers = flattenFetchHeaders(value.headers);
  checkHeaders(headers);
  reply.head(checkStatus(value.status), headers);
  if (value.body !== null) await sendBody(reply, value.body);
  reply.done();
}

/** By its looks: a function may bring a Response of its own. @param {any} value @returns {value is Response} */
function isResponse(value) {
  return typeof value?.status === 'number' && typeof value.headers?.forEach === 'function' && 'body' in value;
}

/** @param {import('./reply.mjs').Reply} reply @param {ReadableStream | AsyncIterable<unknown>} body */
async function sendBody(reply, body) {
  const reader = 'getReader' in body ? readerOf(body.getReader()) : readerOf(body[Symbol.asyncIterator]());
  // A caller that hangs up ends the wait for a next chunk that may never come.
  reply.onRelease = () => reader.stop();
  for (let next = await reader.read(); next.done !== true; next = await reader.read()) {
    if (!(await reply.send(bytesOf(next.value)))) break;
  }
  reader.stop();
}

/** @param {ReadableStreamDefaultReader<unknown> | AsyncIterator<unknown>} source */
function readerOf(source) {
  const ignore = () => undefined;
  if ('read' in source) return { read: () => source.read(), stop: () => void source.cancel().catch(ignore) };
  return { read: () => source.next(), stop: () => void source.return?.().catch(ignore) };
}

/** @param {unknown} chunk */
function bytesOf(chunk) {
  if (chunk instanceof Uint8Array) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk);
  throw new Refusal('InvalidResponse', `the Response's body has a chunk that is a ${typeof chunk}; chunks must be bytes or strings`);
}
