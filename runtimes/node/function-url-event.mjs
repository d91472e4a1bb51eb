// An HTTP request as the event that AWS Lambda's function URLs make of it (payload format 2.0).
import { Date } from './intrinsics.mjs';

const { isUtf8 } = process.getBuiltinModule('node:buffer');
const { defineProperties, getOwnPropertyDescriptors } = Object;
const textTypes = /^(?:text\/|application\/(?:json|xml|javascript|x-www-form-urlencoded|graphql|[\w.+-]*\+(?:json|xml))\b)/i;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** @param {import('./invocation.mjs').InvokeHead} head @param {Buffer} body @param {string} functionName */
export function toEvent([, requestId, , method, target, sourceIp, , rawHeaders], body, functionName) {
  const mark = target.indexOf('?');
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const rawQueryString = mark < 0 ? '' : target.slice(mark + 1);
  const { headers, cookies } = joinHeaders(rawHeaders);
  const isText = isTextBody(headers['content-type'], body);
  const domainName = headers['host'] ?? 'localhost';
  const time = new Date();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 ? { cookies } : undefined),
    headers,
    ...(rawQueryString === '' ? undefined : { queryStringParameters: joinQuery(rawQueryString) }),
    requestContext: {
      accountId: 'anonymous',
      apiId: functionName,
      domainName,
      domainPrefix: domainName.split('.', 1)[0],
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp, userAgent: headers['user-agent'] ?? '' },
      requestId,
      routeKey: '$default',
      stage: '$default',
      time: logTime(time),
      timeEpoch: time.getTime(),
    },
    ...(body.length > 0 ? { body: body.toString(isText ? 'utf8' : 'base64') } : undefined),
    isBase64Encoded: !isText,
  };
}

/** Text is what says that it is, or says nothing, and can be read as UTF-8 without loss. @param {string | undefined} contentType @param {Buffer} body */
function isTextBody(contentType, body) {
  return body.length === 0 || ((contentType === undefined || textTypes.test(contentType)) && isUtf8(body));
}

/** @param {readonly string[]} raw names in lower case and values in turn */
function joinHeaders(raw) {
  /** @type {Record<string, string>} */
  const headers = Object.create(null);
  /** @type {string[]} */
  const cookies = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const value = raw[at + 1] ?? '';
    const isCookie = name === 'cookie';
    if (isCookie) cookies.push(...value.split('; '));
    const before = headers[name];
    headers[name] = before === undefined ? value : before + (isCookie ? '; ' : ',') + value;
  }
  return { headers: plain(headers), cookies };
}

/** @param {string} query */
function joinQuery(query) {
  /** @type {Record<string, string>} */
  const joined = Object.create(null);
  for (const [name, value] of new URLSearchParams(query)) joined[name] = joined[name] === undefined ? value : `${joined[name]},${value}`;
  return plain(joined);
}

/** The same as an ordinary object, as everybody's code expects; `__proto__` stays a name like any other. @param {Record<string, string>} record */
function plain(record) {
  if ('__proto__' in record) return /** @type {Record<string, string>} */ (defineProperties({}, getOwnPropertyDescriptors(record)));
  return { ...record };
}

/** As in web servers' logs: 12/Mar/2020:19:03:58 +0000. @param {Date} time */
function logTime(time) {
  const iso = time.toISOString();
  return `${iso.slice(8, 10)}/${months[time.getUTCMonth()]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
