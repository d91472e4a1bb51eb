// What a handler returned as an HTTP response, by the rules of AWS Lambda's function URLs (payload format 2.0).
import { Refusal } from './failure.mjs';
import { Buffer, entries, stringify } from './intrinsics.mjs';

const maxHeaders = 500;
const maxHeaderCharacters = 64 * 1024;
const maxBodyBytes = 6 * 1024 * 1024;
const status = { least: 200, most: 599 };
const jsonType = 'application/json';
const empty = Buffer.alloc(0);

/**
 * An object with `statusCode` is a response; anything else, strings too, is the JSON body of a 200.
 * @param {unknown} value
 * @returns {{ status: number, headers: readonly string[], body: Buffer }}
 * @throws Refusal InvalidResponse or ResponseTooLarge
 */
export function toResponse(value) {
  if (typeof value !== 'object' || value === null || !('statusCode' in value)) {
    return { status: 200, headers: ['content-type', jsonType], body: jsonBody(value) };
  }
  const { statusCode, headers, multiValueHeaders, cookies, body, isBase64Encoded } = /** @type {Record<string, unknown>} */ (value);
  const flat = flattenHeaders(headers, multiValueHeaders);
  const bytes = limited(bodyBytes(body, isBase64Encoded === true));
  if (bytes.length > 0 && !flat.some((name, at) => at % 2 === 0 && name === 'content-type')) flat.push('content-type', jsonType);
  if (cookies !== undefined && cookies !== null) {
    if (!Array.isArray(cookies)) throw invalid(`"cookies" is ${show(cookies)}; it must be an array of strings`);
    for (const cookie of cookies) flat.push('set-cookie', String(cookie));
  }
  return { status: checkStatus(statusCode), headers: flat, body: bytes };
}

/** @param {unknown} value @returns {number} @throws Refusal InvalidResponse */
export function checkStatus(value) {
  const code = typeof value === 'string' ? Number(value) : value;
  if (typeof code === 'number' && Number.isInteger(code) && code >= status.least && code <= status.most) return code;
  throw invalid(`its status code is ${show(value)}; it must be a whole number from ${status.least} to ${status.most}`);
}

/**
 * @param {...unknown} sources objects of names and values, a value being one or an array of them
 * @returns {string[]} names in lower case and values in turn
 * @throws Refusal InvalidResponse
 */
export function flattenHeaders(...sources) {
  /** @type {string[]} */
  const flat = [];
  for (const source of sources) {
    if (source === undefined || source === null) continue;
    if (typeof source !== 'object' || Array.isArray(source))
      throw invalid(`"headers" is ${show(source)}; it must be an object of names and values`);
    for (const [name, value] of entries(source)) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined && one !== null) flat.push(name.toLowerCase(), String(one));
      }
    }
  }
  checkHeaders(flat);
  return flat;
}

/** The gateway refuses what is larger; here it can be said what is wrong. @param {readonly string[]} flat @throws Refusal ResponseTooLarge */
export function checkHeaders(flat) {
  if (flat.length > 2 * maxHeaders)
    throw new Refusal('ResponseTooLarge', `it has ${flat.length / 2} headers; up to ${maxHeaders} are allowed`);
  const characters = flat.reduce((sum, text) => sum + text.length, 0);
  if (characters > maxHeaderCharacters)
    throw new Refusal('ResponseTooLarge', `its headers have ${characters} characters; up to ${maxHeaderCharacters} are allowed`);
}

/** @param {unknown} value @throws Refusal InvalidResponse or ResponseTooLarge */
export function jsonBody(value) {
  try {
    return limited(Buffer.from(stringify(value) ?? 'null'));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw invalid(`it cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** @param {unknown} body @param {boolean} isBase64 */
function bodyBytes(body, isBase64) {
  if (body === undefined || body === null) return empty;
  if (typeof body === 'string') return Buffer.from(body, isBase64 ? 'base64' : 'utf8');
  throw invalid(`"body" is ${show(body)}; it must be a string, for bytes in base64 with "isBase64Encoded": true`);
}

/** @param {Buffer} body */
function limited(body) {
  if (body.length <= maxBodyBytes) return body;
  throw new Refusal(
    'ResponseTooLarge',
    `the response has ${body.length} bytes, over the limit of ${maxBodyBytes} for one that is not streamed; stream it, or return less`,
  );
}

/** @param {string} reason */
const invalid = (reason) => new Refusal('InvalidResponse', `the handler returned something that is no response: ${reason}`);

/** @param {unknown} value */
function show(value) {
  try {
    const text = stringify(value) ?? String(value);
    return text.length > 60 ? `${text.slice(0, 60)}…` : text;
  } catch {
    return `a ${typeof value}`;
  }
}
