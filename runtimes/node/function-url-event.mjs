// An HTTP request as the event that AWS Lambda's function URLs make of it (payload format 2.0).
import { Date, defineProperty, epochMs, hasOwn } from './intrinsics.mjs';

const { isUtf8 } = process.getBuiltinModule('node:buffer');
const textTypes = /^(?:text\/|application\/(?:json|xml|javascript|x-www-form-urlencoded|graphql|[\w.+-]*\+(?:json|xml))\b)/i;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** @param {import('./invocation.mjs').InvokeHead} head @param {Buffer} body @param {string} functionName */
export function toEvent([, requestId, , method, target, sourceIp, , rawHeaders, , way], body, functionName) {
  const mark = target.indexOf('?');
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const rawQueryString = mark < 0 ? '' : target.slice(mark + 1);
  const { headers, cookies } = joinHeaders(rawHeaders);
  const isText = isTextBody(headers['content-type'], body);
  const domainName = headers['host'] ?? 'localhost';
  const dot = domainName.indexOf('.');
  const timeEpoch = epochMs();
  const routeKey = way?.[0] ?? '$default';
  /** @type {Record<string, unknown>} */
  const event = { version: '2.0', routeKey, rawPath, rawQueryString };
  if (cookies.length > 0) event['cookies'] = cookies;
  event['headers'] = headers;
  if (rawQueryString !== '') event['queryStringParameters'] = joinQuery(rawQueryString);
  /** @type {Record<string, unknown>} */
  const requestContext = {
    accountId: 'anonymous',
    apiId: functionName,
    domainName,
    domainPrefix: dot < 0 ? domainName : domainName.slice(0, dot),
    http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp, userAgent: headers['user-agent'] ?? '' },
    requestId,
    routeKey,
    stage: '$default',
    time: logTime(timeEpoch),
    timeEpoch,
  };
  if (way?.[2] !== undefined) requestContext['authorizer'] = way[2];
  event['requestContext'] = requestContext;
  if (body.length > 0) event['body'] = body.toString(isText ? 'utf8' : 'base64');
  const parameters = way?.[1] ?? [];
  if (parameters.length > 0) event['pathParameters'] = toParameters(parameters);
  event['isBase64Encoded'] = !isText;
  return event;
}

/** @param {readonly string[]} pairs names and values in turn @returns {Record<string, string>} */
export function toParameters(pairs) {
  /** @type {Record<string, string>} */
  const parameters = {};
  for (let at = 0; at + 1 < pairs.length; at += 2) add(parameters, pairs[at] ?? '', pairs[at + 1] ?? '', ',');
  return parameters;
}

/** Text is what says that it is, or says nothing, and can be read as UTF-8 without loss. @param {string | undefined} contentType @param {Buffer} body */
function isTextBody(contentType, body) {
  return body.length === 0 || ((contentType === undefined || textTypes.test(contentType)) && isUtf8(body));
}

/** @param {readonly string[]} raw names in lower case and values in turn */
function joinHeaders(raw) {
  /** @type {Record<string, string>} */
  const headers = {};
  /** @type {string[]} */
  const cookies = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    const isCookie = name === 'cookie';
    if (isCookie) cookies.push(...value.split('; '));
    add(headers, name, value, isCookie ? '; ' : ',');
  }
  return { headers, cookies };
}

/** @param {string} query */
function joinQuery(query) {
  /** @type {Record<string, string>} */
  const joined = {};
  for (const [name, value] of new URLSearchParams(query)) add(joined, name, value, ',');
  return joined;
}

/**
 * Adds to what the name has already. Names that every object has, such as `constructor` and `__proto__`, are names like any other.
 * @param {Record<string, string>} record @param {string} name @param {string} value @param {string} between
 */
function add(record, name, value, between) {
  const all = hasOwn(record, name) ? record[name] + between + value : value;
  if (hasOwn(record, name) || !(name in record)) record[name] = all;
  else defineProperty(record, name, { value: all, enumerable: true, configurable: true, writable: true });
}

let lastSecond = -Infinity;
let lastLogTime = '';

/** As in web servers' logs: 12/Mar/2020:19:03:58 +0000; written once a second. @param {number} ms since 1970 */
function logTime(ms) {
  const second = Math.trunc(ms / 1000);
  if (second !== lastSecond) {
    const time = new Date(ms);
    const iso = time.toISOString();
    lastSecond = second;
    lastLogTime = `${iso.slice(8, 10)}/${months[time.getUTCMonth()]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
  }
  return lastLogTime;
}
