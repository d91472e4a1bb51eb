// AWS Lambda's Extensions API (2020-01-01) and what subscribes to its Telemetry API (2022-07-01).
import { accepted, refuse, writeJson } from './api-answers.mjs';
import { readPosted } from './posted.mjs';
import { initFailureOfPosted } from './posted-error.mjs';
import { parse } from '../node/intrinsics.mjs';

const idHeader = 'lambda-extension-identifier';
const nameHeader = 'lambda-extension-name';
const featureHeader = 'lambda-extension-accept-feature';
const typeHeader = 'lambda-extension-function-error-type';
export const extensionPrefix = '/2020-01-01/extension/';
export const telemetryPath = '/2022-07-01/telemetry';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {import('./extensions.mjs').Extensions} Extensions
 * @typedef {import('./extensions.mjs').Extension} Extension
 * @typedef {{ extensions: Extensions, telemetry: import('./telemetry.mjs').Telemetry, settings: import('../node/instance.mjs').InitRequest }} Served
 */

/** @param {Served} served @param {Request} request @param {Response} response @returns {Promise<boolean>} whether this is of the Extensions API */
export async function serveExtensions(served, request, response) {
  const way = ways[`${request.method} ${request.url}`];
  if (way === undefined) return false;
  await way(served, request, response);
  return true;
}

/** @type {Readonly<Record<string, (served: Served, request: Request, response: Response) => unknown>>} */
const ways = {
  [`POST ${extensionPrefix}register`]: register,
  [`GET ${extensionPrefix}event/next`]: next,
  [`POST ${extensionPrefix}init/error`]: (served, request, response) => fail('InitError', served, request, response),
  [`POST ${extensionPrefix}exit/error`]: (served, request, response) => fail('ExitError', served, request, response),
  [`PUT ${telemetryPath}`]: subscribe,
  [`PUT ${telemetryPath}/`]: subscribe,
};

/** @param {Served} served @param {Request} request @param {Response} response */
async function register({ extensions, telemetry, settings }, request, response) {
  const name = textOf(request.headers[nameHeader]);
  const { events = [] } = Object((await bodyOf(request)) ?? { events: 'none' });
  const done = extensions.register(name, Array.isArray(events) ? events : undefined);
  if ('type' in done) {
    refuse(response, 403, done.type, done.message);
    return;
  }
  telemetry.platform('extension', { name, state: 'Registered', events });
  const features = (textOf(request.headers[featureHeader]) ?? '').split(',').map((feature) => feature.trim());
  response.setHeader('Lambda-Extension-Identifier', done.id);
  writeJson(response, 200, {
    functionName: settings.function,
    functionVersion: String(settings.version),
    handler: settings.handler,
    ...(features.includes('accountId') ? { accountId: '000000000000' } : {}),
  });
}

/** @param {Served} served @param {Request} request @param {Response} response */
function next({ extensions }, request, response) {
  const one = known(extensions, request, response);
  if (one === undefined) return;
  /** @type {import('./extensions.mjs').Asker} */
  const asker = (event, id) => {
    response.setHeader('Lambda-Extension-Event-Identifier', id);
    writeJson(response, 200, event);
  };
  const no = extensions.ask(one, asker);
  if (no !== undefined) refuse(response, 403, no.type, no.message);
  else response.once('close', () => extensions.withdraw(one, asker));
}

/** @param {'InitError' | 'ExitError'} how @param {Served} served @param {Request} request @param {Response} response */
async function fail(how, { extensions }, request, response) {
  const one = known(extensions, request, response);
  if (one === undefined) return;
  const type = textOf(request.headers[typeHeader]);
  if (type === undefined) {
    refuse(response, 403, 'Extension.MissingHeader', 'Lambda-Extension-Function-Error-Type not found');
    return;
  }
  const error = initFailureOfPosted(await readPosted(request), { 'lambda-runtime-function-error-type': type });
  const no = extensions.fail(one, how, error);
  if (no !== undefined) refuse(response, 403, no.type, no.message);
  else accepted(response);
}

/** @param {Served} served @param {Request} request @param {Response} response */
async function subscribe({ extensions, telemetry }, request, response) {
  const one = known(extensions, request, response);
  if (one === undefined) return;
  const no = telemetry.subscribe(one.name, await bodyOf(request));
  if (no !== undefined) refuse(response, no.status, no.type, no.message);
  else writeJson(response, 200, 'OK');
}

/** Who asks; else it is said what is wrong. @param {Extensions} extensions @param {Request} request @param {Response} response @returns {Extension | undefined} */
function known(extensions, request, response) {
  const found = extensions.find(textOf(request.headers[idHeader]));
  if (!('type' in found)) return found;
  refuse(response, 403, found.type, found.message);
  return undefined;
}

/** @param {Request} request @returns {Promise<unknown>} undefined: it is no JSON */
async function bodyOf(request) {
  const posted = await readPosted(request);
  try {
    return posted.kind === 'whole' ? parse(posted.bytes.toString()) : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string | string[] | undefined} value */
const textOf = (value) => (typeof value === 'string' ? value : undefined);
