// A request's way to a server in this sandbox and back, as it comes. Budget: 150 µs beside the server's own time.
import { Refusal } from '../node/failure.mjs';
import { Buffer } from '../node/intrinsics.mjs';
import { StreamedBody } from '../node/request-body.mjs';
import { host } from './port.mjs';
import { ProgramFailure } from './program-failure.mjs';
import { ProxiedSocket } from './proxied-socket.mjs';

const { Agent, request: send } = process.getBuiltinModule('node:http');
/** Shorter than what servers wait for a connection's next request, so that none is used that its server closes. */
const keptMs = 1_000;
/** A program's end is known after the end of its connections, once what it printed is read; on a busy host that takes a while. */
const lastMomentsMs = 500;
const smallBytes = 64 * 1024;
const switchingProtocols = 101;
const leastRedirect = 300;
const badRequest = 400;
const maxToldBytes = 1_000;
const jsonType = 'application/json';
const noEvent = Buffer.from('{}');
const maxEventAnswerBytes = 6 * 1024 * 1024;
/** What ends between this process and the server. */
const hopHeaders = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'te', 'trailer', 'upgrade']);

/** @typedef {import('../node/invocation.mjs').Invocation} Invocation @typedef {import('node:http').IncomingMessage} Answer */

/** @param {number} port @param {import('./program.mjs').Program} program @returns {import('../node/invocation.mjs').Form} */
export function openProxy(port, program) {
  const connections = new Connections();
  return {
    streamsRequests: true,
    takesWebSockets: true,
    answer: (invocation) =>
      (invocation.offersWebSocket
        ? passHandshake(invocation, { host, port, agent: false, setHost: false })
        : pass(invocation, { host, port, agent: connections.take(), setHost: false })
      )
        .catch((error) => outlived(program, error))
        .finally(() => connections.giveBack()),
  };
}

/**
 * A connection that is lost with its program is not the request's fault alone: this process ends, too, and with it all that it answers.
 * @param {import('./program.mjs').Program} program @param {unknown} error @throws the error, when the program lives on
 */
async function outlived(program, error) {
  const ended = await Promise.race([program.ended.then(() => true), new Promise((resolve) => setTimeout(resolve, lastMomentsMs, false))]);
  if (ended !== true) throw error;
  await new Promise(() => undefined);
}

/** Connections that wait for the next request, for a second at most, of which a frozen one's clock tells too late. */
class Connections {
  #agent = new Agent({ keepAlive: true, timeout: keptMs });
  #usedAt = 0;

  take() {
    if (performance.now() - this.#usedAt > keptMs) {
      const old = this.#agent;
      this.#agent = new Agent({ keepAlive: true, timeout: keptMs });
      closeFree(old);
    }
    this.#usedAt = performance.now();
    return this.#agent;
  }

  giveBack() {
    this.#usedAt = performance.now();
  }
}

/** @param {import('node:http').Agent} agent */
function closeFree({ freeSockets }) {
  for (const sockets of Object.values(freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

/** @param {Invocation} invocation @param {import('node:http').RequestOptions} way */
async function pass(invocation, way) {
  const { signal, isHttp, head } = invocation;
  const request = send({ ...way, method: isHttp ? head[3] : 'POST', path: isHttp ? head[4] : '/', headers: headersOf(invocation) });
  const hangUp = () => request.destroy();
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    const answered = answerOf(request);
    // A server may answer before it has all of the request; then it may not take the rest.
    sendBody(invocation, request).catch(hangUp);
    const answer = await answered;
    await (isHttp ? reply(invocation, answer) : replyToEvent(invocation, answer));
  } catch (error) {
    if (!signal.aborted) throw error;
    invocation.reply.done();
  } finally {
    signal.removeEventListener('abort', hangUp);
  }
}

/** @param {Invocation} invocation @param {import('node:http').RequestOptions} way */
async function passHandshake(invocation, way) {
  const { signal, head } = invocation;
  const request = send({ ...way, method: head[3], path: head[4], headers: handshakeHeaders(invocation) });
  const hangUp = () => request.destroy();
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    /** @type {Promise<[Answer, import('node:stream').Duplex, Buffer]>} */
    const taken = new Promise((resolve) => request.once('upgrade', (answer, socket, early) => resolve([answer, socket, early])));
    const answered = answerOf(request);
    request.end();
    const first = await Promise.race([taken, answered]);
    if (!Array.isArray(first)) {
      if ((first.statusCode ?? 0) < leastRedirect) throw notTaken(first.statusCode);
      await reply(invocation, first);
      return;
    }
    await talk(invocation, first);
  } catch (error) {
    if (!signal.aborted) throw error;
    invocation.reply.done();
  } finally {
    signal.removeEventListener('abort', hangUp);
  }
}

/** @param {Invocation} invocation @param {[Answer, import('node:stream').Duplex, Buffer]} taken */
async function talk(invocation, [answer, socket, early]) {
  if (early.length > 0) socket.unshift(early);
  const connection = new ProxiedSocket(invocation, socket);
  invocation.upgrade = connection;
  invocation.body = connection;
  invocation.reply.head(switchingProtocols, endToEnd(answer.rawHeaders));
  await connection.run();
}

/** A caller can do nothing with such an answer. @param {number | undefined} status */
const notTaken = (status) =>
  new Refusal('WebSocketUnsupported', `the server answered a WebSocket handshake with status ${status}; it takes none at this path`);

/** Extensions change the frames: the platform, which answers the caller, agrees on none. @param {Invocation} invocation */
function handshakeHeaders({ head, requestId }) {
  const headers = ['x-swiftlet-request-id', requestId];
  for (let at = 0; at + 1 < head[7].length; at += 2)
    if (head[7][at] !== 'sec-websocket-extensions') headers.push(head[7][at] ?? '', head[7][at + 1] ?? '');
  return headers;
}

/** @param {import('node:http').ClientRequest} request @returns {Promise<Answer>} */
function answerOf(request) {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', (error) => reject(new ProgramFailure('ConnectionLost', `the program did not answer: ${error.message}`)));
    request.once('close', () => reject(new ProgramFailure('ConnectionLost', 'the program closed the connection before it answered')));
  });
}

/** @param {Invocation} invocation */
function headersOf(invocation) {
  const { head, isHttp, requestId, body } = invocation;
  const length = body instanceof StreamedBody ? head[6] : wholeBody(invocation).length;
  const framing = length < 0 ? ['transfer-encoding', 'chunked'] : ['content-length', String(length)];
  const own = ['x-swiftlet-request-id', requestId];
  if (!isHttp) return ['host', 'localhost', 'content-type', jsonType, ...framing, ...own];
  const hasBody = length !== 0 || !['GET', 'HEAD', 'OPTIONS', 'DELETE'].includes(head[3]);
  return hasBody ? [...head[7], ...framing, ...own] : [...head[7], ...own];
}

/** An event that nobody sent anything with is one without members. @param {Invocation} invocation */
const wholeBody = ({ body, isHttp }) => (isHttp || body.whole.length > 0 ? body.whole : noEvent);

/** @param {Invocation} invocation @param {import('node:http').ClientRequest} request */
async function sendBody(invocation, request) {
  const { body } = invocation;
  if (body instanceof StreamedBody) {
    // The server may answer before any of it is there.
    request.flushHeaders();
    for await (const chunk of body.stream) {
      if (request.destroyed) return;
      if (!request.write(chunk)) await new Promise((resolve) => request.once('drain', resolve).once('close', resolve));
    }
    request.end();
  } else request.end(wholeBody(invocation));
}

/** @param {Invocation} invocation @param {Answer} answer */
async function reply({ reply }, answer) {
  const status = answer.statusCode ?? 0;
  if (status < 200 || status > 599) throw new Refusal('InvalidResponse', `the program answered with status ${status}`);
  const headers = endToEnd(answer.rawHeaders);
  const length = Number(answer.headers['content-length'] ?? Infinity);
  try {
    if (length <= smallBytes) {
      const body = await whole(answer);
      // Said by the gateway, which knows it; but of an answer without its body nobody else does.
      await reply.answer(status, headers, body);
      return;
    }
    reply.head(status, headers);
    for await (const chunk of answer) if (!(await reply.send(chunk))) break;
    reply.done();
  } catch (error) {
    throw error instanceof Refusal
      ? error
      : new ProgramFailure('ConnectionLost', 'the program closed the connection before its answer ended');
  }
}

/** An event is no request: whoever sent it gets what the program answered, or that it failed. @param {Invocation} invocation @param {Answer} answer */
async function replyToEvent({ reply }, answer) {
  const body = await whole(answer);
  const status = answer.statusCode ?? 0;
  if (status >= badRequest || status < 200)
    throw new ProgramFailure(
      `Status${status}`,
      `the program answered the event with status ${status}: ${body.toString('utf8', 0, maxToldBytes)}`,
    );
  await reply.answer(200, ['content-type', answer.headers['content-type'] ?? jsonType], body);
}

/** @param {Answer} answer */
async function whole(answer) {
  /** @type {Buffer[]} */
  const pieces = [];
  let size = 0;
  for await (const piece of answer) {
    size += piece.length;
    if (size > maxEventAnswerBytes) throw new Refusal('ResponseTooLarge', `the answer to an event is over ${maxEventAnswerBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** @param {readonly string[]} raw names and values in turn @returns {string[]} without what is between hops, names in lower case */
function endToEnd(raw) {
  const headers = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = (raw[at] ?? '').toLowerCase();
    if (!hopHeaders.has(name)) headers.push(name, raw[at + 1] ?? '');
  }
  return headers;
}
