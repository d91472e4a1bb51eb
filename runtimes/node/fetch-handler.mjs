// Handlers in the web's own form: fetch(request) → Response, both streamed.
import { Refusal } from './failure.mjs';
import { createContext } from './context.mjs';
import { pending } from './pending.mjs';
import { initialCreditBytes } from './frames.mjs';

const bodiless = new Set(['GET', 'HEAD']);

/** @param {import('./invocation.mjs').Invocation} invocation */
export async function answerFetch(invocation) {
  const response = await invocation.handler.call(toRequest(invocation), process.env, createContext(invocation));
  if (!isResponse(response))
    throw new Refusal(
      'InvalidResponse',
      `fetch() returned ${response === undefined ? 'nothing' : `a ${typeof response}`}; it must return a Response`,
    );
  const { status, body } = response;
  if (status < 200 || status > 599) throw new Refusal('InvalidResponse', `the Response has status ${status}; it must be from 200 to 599`);
  invocation.sendHead(status, flatten(response.headers));
  if (body !== null) for await (const chunk of body) await invocation.sendBody(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  invocation.done();
  return pending;
}

function isResponse(value) {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof value.status === 'number' &&
    typeof value.headers?.forEach === 'function' &&
    'body' in value
  );
}

function flatten(headers) {
  const flat = [];
  headers.forEach((value, name) => {
    if (name !== 'set-cookie') flat.push(name, value);
  });
  for (const cookie of headers.getSetCookie?.() ?? []) flat.push('set-cookie', cookie);
  return flat;
}

function toRequest(invocation) {
  const [, , , method, target, , bodyLength, raw] = invocation.head;
  const headers = new Headers();
  let host = 'localhost';
  let scheme = 'http';
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i] === 'host') host = raw[i + 1];
    else if (raw[i] === 'x-forwarded-proto') scheme = raw[i + 1];
    headers.append(raw[i], raw[i + 1]);
  }
  const init = { method, headers, signal: invocation.signal };
  if (bodyLength !== 0 && !bodiless.has(method)) {
    const streamed = bodyLength < 0 || bodyLength > initialCreditBytes;
    Object.assign(init, { body: streamed ? bodyStream(invocation) : invocation.body(), duplex: 'half' });
  }
  return new Request(`${scheme}://${host}${target}`, init);
}

/** The request's body as it comes; what has been read makes room for more. */
function bodyStream(invocation) {
  let controller;
  const stream = new ReadableStream(
    {
      start(c) {
        controller = c;
      },
      pull() {
        if (owed > 0) invocation.grant(owed);
        owed = 0;
      },
    },
    { highWaterMark: 1 },
  );
  let owed = 0;
  let closed = false;
  invocation.bodySink = {
    push(chunk) {
      if (closed) return;
      owed += chunk.length;
      controller.enqueue(new Uint8Array(chunk));
      if (controller.desiredSize > 0) {
        invocation.grant(owed);
        owed = 0;
      }
    },
    end() {
      if (!closed) controller.close();
      closed = true;
    },
    abort(error) {
      if (!closed) controller.error(error);
      closed = true;
    },
  };
  return stream;
}
