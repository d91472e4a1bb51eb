// The program's answer: whole, or as it comes.
import { Refusal } from '../node/failure.mjs';
import { toResponse } from '../node/function-url-response.mjs';
import { parse } from '../node/intrinsics.mjs';
import { accepted, refuse } from './api-answers.mjs';
import { preludeType, splitPrelude } from './http-prelude.mjs';
import { maxPostedBytes, readPosted } from './posted.mjs';
import { failureInTrailers } from './posted-error.mjs';
import { ProgramFailure } from './program-failure.mjs';

const modeHeader = 'lambda-runtime-function-response-mode';
const jsonType = 'application/json';
const bytesType = 'application/octet-stream';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('../node/invocation.mjs').Invocation} Invocation
 */

/**
 * Takes an answer to whoever waits for it, and says to the program what came of it.
 * @param {Request} request @param {import('node:http').ServerResponse} response
 * @param {import('./turns.mjs').Turn} turn @param {(sent: Promise<unknown> | undefined) => void} settle told once what is followed until all is sent
 */
export async function takeResponse(request, response, { invocation }, settle) {
  if (request.headers[modeHeader] === 'streaming' || request.headers['content-type'] === preludeType) {
    const sending = stream(request, invocation);
    settle(sending);
    await sending;
    accepted(response);
    return;
  }
  const posted = await readPosted(request);
  // What the program printed before it answered is there, too, and is read first.
  await new Promise((resolve) => setImmediate(resolve));
  settle(give(invocation, posted, request));
  if (posted.kind === 'too large')
    refuse(response, 413, 'RequestEntityTooLarge', `Exceeded maximum allowed payload size (${maxPostedBytes} bytes).`);
  else accepted(response);
}

/** @param {Invocation} invocation @param {import('./posted.mjs').Posted} posted @param {Request} request @returns {Promise<void> | undefined} */
function give(invocation, posted, request) {
  const failure = failureInTrailers(request.trailers);
  if (failure !== undefined) invocation.reply.fail(failure);
  else if (posted.kind === 'cut off') invocation.fail(truncated());
  else if (posted.kind === 'too large')
    invocation.fail(
      new Refusal(
        'ResponseTooLarge',
        `Response payload size (${posted.size} bytes) exceeded maximum allowed payload size (${maxPostedBytes} bytes).`,
      ),
    );
  else return answer(invocation, posted.bytes);
  return undefined;
}

/** @param {Invocation} invocation @param {Buffer} bytes @returns {Promise<void> | undefined} */
function answer(invocation, bytes) {
  const { reply, isHttp } = invocation;
  if (!isHttp) return reply.answer(200, ['content-type', jsonType], bytes);
  try {
    const { status, headers, body } = toResponse(valueOf(bytes));
    return reply.answer(status, headers, body);
  } catch (error) {
    invocation.fail(error);
    return undefined;
  }
}

/** @param {Buffer} bytes @returns {unknown} */
function valueOf(bytes) {
  try {
    return parse(bytes.toString());
  } catch {
    throw new Refusal('InvalidResponse', 'the runtime answered a request with what is no JSON');
  }
}

/** @param {Request} request @param {Invocation} invocation */
async function stream(request, invocation) {
  const { reply, isHttp } = invocation;
  const type = request.headers['content-type'];
  try {
    const { status, headers, rest } =
      isHttp && type === preludeType
        ? await splitPrelude(request)
        : { status: 200, headers: ['content-type', type ?? bytesType], rest: request };
    let takesMore = true;
    for await (const chunk of rest) {
      reply.head(status, headers);
      // What nobody takes any more is read all the same: the program ends its own answer.
      takesMore = takesMore && (await reply.send(chunk));
    }
    const failure = failureInTrailers(request.trailers);
    if (failure !== undefined) {
      reply.fail(failure);
      return;
    }
    reply.head(status, headers);
    reply.done();
  } catch (error) {
    invocation.fail(error instanceof Refusal ? error : truncated());
    request.resume();
  }
}

const truncated = () => new ProgramFailure('Runtime.TruncatedResponse', 'Response stream closed before it was complete');
