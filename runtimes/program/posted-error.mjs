// What the program says went wrong: JSON with errorType, errorMessage and a stack in the form of its language.
import { masked } from '../node/secrets.mjs';
import { Buffer, parse, stringify } from '../node/intrinsics.mjs';
import { ProgramFailure } from './program-failure.mjs';

const typeHeader = 'lambda-runtime-function-error-type';
const typeTrailer = typeHeader;
const bodyTrailer = 'lambda-runtime-function-error-body';
const usualType = 'Runtime.UnknownReason';
/** A caller of the Lambda API gets a longer one without what is not known here. */
const maxPayloadBytes = 256 * 1024;
const maxCauses = 5;
const maxTextCharacters = 16 * 1024;

/** @typedef {import('node:http').IncomingHttpHeaders} Headers @typedef {import('../node/failure.mjs').Failure} Failure */

/** @param {import('./posted.mjs').Posted} posted @param {Headers} headers @returns {Failure} */
export function failureOfPosted(posted, headers) {
  const bytes = bytesOf(posted);
  const payload = payloadOf(bytes);
  return { code: 'HandlerError', ...readError(bytes, headers[typeHeader]), ...(payload === undefined ? {} : { payload }) };
}

/** @param {import('./posted.mjs').Posted} posted @param {Headers} headers */
export function initFailureOfPosted(posted, headers) {
  const bytes = bytesOf(posted);
  const { type, message, stack } = readError(bytes, headers[typeHeader]);
  return new ProgramFailure(type, message, stack, payloadOf(bytes));
}

/** @param {import('./posted.mjs').Posted} posted */
const bytesOf = (posted) => (posted.kind === 'whole' ? posted.bytes : Buffer.alloc(0));

/** As it was posted, where it is not too long. @param {Buffer} bytes */
const payloadOf = (bytes) => (bytes.length > 0 && bytes.length <= maxPayloadBytes ? masked(bytes.toString()) : undefined);

/** What the end of a streamed answer says of it. @param {Headers} trailers @returns {Failure | undefined} undefined: it is complete */
export function failureInTrailers(trailers) {
  const type = trailers[typeTrailer];
  if (type === undefined) return undefined;
  const body = Buffer.from(String(trailers[bodyTrailer] ?? ''), 'base64');
  return failureOfPosted({ kind: 'whole', bytes: body }, { [typeHeader]: type });
}

/** @param {Buffer} bytes @param {string | string[] | undefined} named @returns {{ type: string, message: string, stack?: string }} */
function readError(bytes, named) {
  /** @type {Record<string, unknown>} */
  let said = {};
  try {
    said = Object(parse(bytes.toString()));
  } catch {
    said = { errorMessage: bytes.toString() };
  }
  const type = textOf(said['errorType']) || (typeof named === 'string' ? named : '') || usualType;
  const message = textOf(said['errorMessage']);
  const stack = stackOf(said['stackTrace'] ?? said['trace'] ?? said['stack']);
  return stack === '' ? { type, message } : { type, message, stack: cut(`${type}: ${message}\n${stack}${causesOf(said['cause'])}`) };
}

/** As Java's client has them. @param {unknown} cause */
function causesOf(cause) {
  let text = '';
  for (let at = cause, depth = 0; depth < maxCauses && typeof at === 'object' && at !== null; depth++) {
    /** @type {Record<string, unknown>} */
    const said = Object(at);
    text += `\nCaused by: ${textOf(said['errorType'])}: ${textOf(said['errorMessage'])}\n${stackOf(said['stackTrace'])}`;
    at = said['cause'];
  }
  return text;
}

/** @param {unknown} value */
function stackOf(value) {
  if (!Array.isArray(value)) return textOf(value);
  return value.map((line) => (typeof line === 'string' ? line.trimEnd() : stringify(line))).join('\n');
}

/** @param {unknown} value */
const textOf = (value) => (typeof value === 'string' ? cut(masked(value)) : '');

/** @param {string} text */
const cut = (text) => text.slice(0, maxTextCharacters);
