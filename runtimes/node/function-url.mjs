// Between HTTP and events, as AWS Lambda's function URLs define them (payload format 2.0).
import { Refusal } from './failure.mjs';

const maxBodyBytes = 6 * 1024 * 1024;
const textTypes = /^(?:text\/|application\/(?:json|xml|javascript|x-www-form-urlencoded|graphql|[\w.+-]*\+(?:json|xml)))/i;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * @param {readonly any[]} head the invocation's head
 * @param {Buffer} body
 * @param {string} functionName
 */
export function toEvent(head, body, functionName) {
  const [, requestId, , method, target, sourceIp, , rawHeaders] = head;
  const mark = target.indexOf('?');
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const rawQueryString = mark < 0 ? '' : target.slice(mark + 1);
  const { headers, cookies } = joinHeaders(rawHeaders);
  const isText = body.length === 0 || textTypes.test(headers['content-type'] ?? 'application/json');
  const domain = headers.host ?? 'localhost';
  const time = new Date();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 ? { cookies } : {}),
    headers,
    ...(rawQueryString === '' ? {} : { queryStringParameters: joinQuery(rawQueryString) }),
    requestContext: {
      accountId: 'anonymous',
      apiId: functionName,
      domainName: domain,
      domainPrefix: domain.split('.')[0],
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp, userAgent: headers['user-agent'] ?? '' },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: logTime(time),
      timeEpoch: time.getTime(),
    },
    ...(body.length > 0 ? { body: isText ? body.toString('utf8') : body.toString('base64') } : {}),
    isBase64Encoded: !isText,
  };
}

function joinHeaders(raw) {
  /** @type {Record<string, string>} */
  const headers = Object.create(null);
  const cookies = [];
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i];
    const value = raw[i + 1];
    if (name === 'cookie') cookies.push(...value.split('; '));
    headers[name] = headers[name] === undefined ? value : `${headers[name]}${name === 'cookie' ? '; ' : ','}${value}`;
  }
  // A plain object, as everybody's code expects; "__proto__" as a header's name stays a property like any other.
  return { headers: Object.defineProperties({}, Object.getOwnPropertyDescriptors(headers)), cookies };
}

function joinQuery(query) {
  const joined = Object.create(null);
  for (const [name, value] of new URLSearchParams(query)) joined[name] = joined[name] === undefined ? value : `${joined[name]},${value}`;
  return Object.defineProperties({}, Object.getOwnPropertyDescriptors(joined));
}

function logTime(time) {
  const two = (n) => String(n).padStart(2, '0');
  return `${two(time.getUTCDate())}/${months[time.getUTCMonth()]}/${time.getUTCFullYear()}:${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000`;
}

/**
 * What a handler returned, as a response: an object with `statusCode` is one, anything else is the body of a 200.
 * @param {unknown} result
 * @returns {{ status: number, headers: string[], body: Buffer }}
 * @throws Refusal InvalidResponse or ResponseTooLarge
 */
export function toResponse(result) {
  if (typeof result !== 'object' || result === null || !('statusCode' in result))
    return limited(200, ['content-type', 'application/json'], jsonBody(result));
  const { statusCode, headers, multiValueHeaders, cookies, body, isBase64Encoded } = /** @type {any} */ (result);
  const status = typeof statusCode === 'string' ? Number(statusCode) : statusCode;
  if (!Number.isInteger(status) || status < 200 || status > 599)
    throw invalid(`statusCode is ${inspect(statusCode)}; it must be a whole number from 200 to 599`);
  const flat = flattenHeaders(headers, multiValueHeaders);
  if (cookies !== undefined) {
    if (!Array.isArray(cookies)) throw invalid('cookies is no array of strings');
    for (const cookie of cookies) flat.push('set-cookie', String(cookie));
  }
  if (!flat.includes('content-type') && body !== undefined && body !== null && body !== '') flat.push('content-type', 'application/json');
  return limited(status, flat, bodyBytes(body, isBase64Encoded === true));
}

/** @param {unknown} headers @param {unknown} multiple */
export function flattenHeaders(headers, multiple) {
  const flat = [];
  for (const source of [headers, multiple]) {
    if (source === undefined || source === null) continue;
    if (typeof source !== 'object' || Array.isArray(source)) throw invalid('headers is no object of names and values');
    for (const [name, value] of Object.entries(source)) {
      for (const one of Array.isArray(value) ? value : [value]) flat.push(name.toLowerCase(), String(one));
    }
  }
  return flat;
}

function bodyBytes(body, isBase64) {
  if (body === undefined || body === null) return Buffer.alloc(0);
  if (typeof body === 'string') return Buffer.from(body, isBase64 ? 'base64' : 'utf8');
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (typeof body === 'object') return jsonBody(body);
  throw invalid(`body is a ${typeof body}; it must be a string`);
}

/** @param {unknown} value */
export function jsonBody(value) {
  try {
    return Buffer.from(JSON.stringify(value) ?? 'null');
  } catch (error) {
    throw invalid(`what the handler returned cannot be written as JSON: ${/** @type {Error} */ (error).message}`);
  }
}

function limited(status, headers, body) {
  if (body.length > maxBodyBytes)
    throw new Refusal(
      'ResponseTooLarge',
      `the response has ${body.length} bytes; up to ${maxBodyBytes} can be returned at once, stream it to send more`,
    );
  return { status, headers, body };
}

const invalid = (message) => new Refusal('InvalidResponse', message);

function inspect(value) {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value;
  }
}
