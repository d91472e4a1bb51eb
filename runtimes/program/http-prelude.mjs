// How a streamed answer begins that has a status and headers of its own: their JSON, eight zero bytes, and then the body.
import { Refusal } from '../node/failure.mjs';
import { checkStatus, flattenHeaders } from '../node/function-url-response.mjs';
import { Buffer, parse } from '../node/intrinsics.mjs';

export const preludeType = 'application/vnd.awslambda.http-integration-response';
const separator = Buffer.alloc(8);
const maxPreludeBytes = 128 * 1024;

/**
 * @param {AsyncIterable<Buffer>} stream
 * @returns {Promise<{ status: number, headers: string[], rest: AsyncIterable<Buffer> }>}
 * @throws Refusal InvalidResponse
 */
export async function splitPrelude(stream) {
  const pieces = stream[Symbol.asyncIterator]();
  let seen = Buffer.alloc(0);
  let end = -1;
  while (end < 0) {
    const { done, value } = await pieces.next();
    if (done === true || seen.length > maxPreludeBytes) throw invalid('it has no end: eight zero bytes');
    seen = Buffer.concat([seen, value]);
    end = seen.indexOf(separator);
  }
  return { ...readPrelude(seen.subarray(0, end)), rest: restOf(seen.subarray(end + separator.length), pieces) };
}

/** @param {Buffer} first @param {AsyncIterator<Buffer>} pieces */
async function* restOf(first, pieces) {
  if (first.length > 0) yield first;
  for (let piece = await pieces.next(); piece.done !== true; piece = await pieces.next()) yield piece.value;
}

/** @param {Buffer} bytes */
function readPrelude(bytes) {
  /** @type {Record<string, unknown>} */
  let said;
  try {
    said = Object(parse(bytes.toString()));
  } catch {
    throw invalid('it is no JSON');
  }
  const { statusCode = 200, headers, multiValueHeaders, cookies = [] } = said;
  const flat = flattenHeaders(headers, multiValueHeaders);
  for (const cookie of Array.isArray(cookies) ? cookies : []) flat.push('set-cookie', String(cookie));
  if (!flat.some((name, at) => at % 2 === 0 && name === 'content-type')) flat.push('content-type', 'application/octet-stream');
  return { status: checkStatus(statusCode), headers: flat };
}

/** @param {string} why */
const invalid = (why) => new Refusal('InvalidResponse', `the beginning of a streamed answer cannot be read: ${why}`);
