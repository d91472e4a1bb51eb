// AWS Lambda's Runtime API (2018-06-01), for the program in this sandbox alone: it is served on the sandbox's own loopback. Beside it is that of extensions.
import { accepted, refuse } from './api-answers.mjs';
import { serveExtensions } from './extensions-api.mjs';
import { sendEvent } from './next-event.mjs';
import { readPosted } from './posted.mjs';
import { failureOfPosted, initFailureOfPosted } from './posted-error.mjs';
import { takeResponse } from './posted-response.mjs';
import { log } from '../node/logs.mjs';

const { createServer } = process.getBuiltinModule('node:http');
const host = '127.0.0.1';
const prefix = '/2018-06-01/runtime/';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {import('./turns.mjs').Turns} Turns
 */

/**
 * @param {Turns} turns @param {import('./company.mjs').Company} company
 * @param {() => void} [onFirst] told when somebody connects for the first time
 * @returns {Promise<string>} host and port
 */
export async function openRuntimeApi(turns, company, onFirst = () => undefined) {
  // Whoever asks for an event waits as long as it takes, also while this sandbox is frozen.
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 0, headersTimeout: 0 }, (request, response) => {
    route(turns, company, request, response).catch((/** @type {unknown} */ error) => {
      log('error', `the Runtime API: ${String(error)}`);
      response.destroy();
    });
  });
  server.once('connection', onFirst);
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, host, () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `${host}:${port}`;
}

/** @param {Turns} turns @param {import('./company.mjs').Company} company @param {Request} request @param {Response} response */
async function route(turns, company, request, response) {
  const path = (request.url ?? '').startsWith(prefix) ? (request.url ?? '').slice(prefix.length).split('/') : [];
  const [what, id = '', how] = path;
  if (what === 'invocation' && id === 'next' && path.length === 2) {
    if (demand('GET', request, response)) next(turns, company, response);
  } else if (what === 'invocation' && how === 'response' && path.length === 3) {
    if (demand('POST', request, response)) await answer(turns, id, request, response);
  } else if (what === 'invocation' && how === 'error' && path.length === 3) {
    if (demand('POST', request, response)) await fail(turns, id, request, response);
  } else if (what === 'init' && id === 'error' && path.length === 2) {
    if (demand('POST', request, response)) await failInit(turns, request, response);
  } else if (!(await serveExtensions(company, request, response))) {
    refuse(response, 404, 'NotFound', '404 page not found');
  }
}

/** @param {string} method @param {Request} request @param {Response} response */
function demand(method, request, response) {
  if (request.method === method) return true;
  refuse(response, 405, 'MethodNotAllowed', `this is asked by ${method}`);
  return false;
}

/** @param {Turns} turns @param {import('./company.mjs').Company} company @param {Response} response */
function next(turns, company, response) {
  const from = turns.state;
  const asker = (/** @type {import('./turns.mjs').Invocation} */ invocation) => sendEvent(response, invocation, company.traceId);
  if (!turns.ask(asker)) refuseTransition(response, from, 'Ready');
  else response.once('close', () => turns.withdraw(asker));
}

/** @param {Turns} turns @param {string} id @param {Request} request @param {Response} response */
async function answer(turns, id, request, response) {
  const turn = claimed(turns, id, 'InvocationResponse', response);
  if (turn !== undefined) await takeResponse(request, response, turn, (sent) => turns.settle(turn, sent));
}

/** @param {Turns} turns @param {string} id @param {Request} request @param {Response} response */
async function fail(turns, id, request, response) {
  const turn = claimed(turns, id, 'InvocationErrorResponse', response);
  if (turn === undefined) return;
  const { invocation } = turn;
  const posted = await readPosted(request);
  const failure = failureOfPosted(posted, request.headers);
  log('error', failure.stack ?? `${failure.type}: ${failure.message}`, invocation.requestId);
  invocation.reply.fail(failure);
  turns.settle(turn, undefined, 'error');
  accepted(response);
}

/** @param {Turns} turns @param {Request} request @param {Response} response */
async function failInit(turns, request, response) {
  const from = turns.state;
  const posted = await readPosted(request);
  if (turns.fail(initFailureOfPosted(posted, request.headers))) accepted(response);
  else refuseTransition(response, from, 'InitError');
}

/** What runs by this id; else it is said what is wrong. @param {Turns} turns @param {string} id @param {string} to @param {Response} response */
function claimed(turns, id, to, response) {
  const from = turns.state;
  const claim = turns.claim(id);
  if (claim.kind === 'running') return claim.turn;
  if (claim.kind === 'answered') refuseTransition(response, from, to);
  else refuse(response, 400, 'InvalidRequestID', 'Invalid request ID');
  return undefined;
}

/** @param {Response} response @param {string} from @param {string} to */
function refuseTransition(response, from, to) {
  const message = `State transition from ${from} to ${to} failed for runtime. Error: State transition is not allowed`;
  refuse(response, 403, 'InvalidStateTransition', message);
}
