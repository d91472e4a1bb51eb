// What handlers for Google Cloud Functions use of Express: its request and its response, as far as docs/google-cloud-functions.md says.
import { IncomingMessage, ServerResponse } from './node-http.mjs';

const { STATUS_CODES } = process.getBuiltinModule('node:http');
const { parse: parseForm } = process.getBuiltinModule('node:querystring');

const textType = 'text/plain; charset=utf-8';
const htmlType = 'text/html; charset=utf-8';
const bytesType = 'application/octet-stream';
const jsonType = 'application/json; charset=utf-8';
const shortTypes = /** @type {Readonly<Record<string, string>>} */ ({
  html: htmlType,
  json: jsonType,
  text: textType,
  txt: textType,
  xml: 'application/xml',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  bin: bytesType,
});
const found = 302;

export class GoogleRequest extends IncomingMessage {
  /** @type {unknown} */
  body = {};
  /** @type {Buffer | undefined} */
  rawBody = undefined;
  /** @type {Record<string, string>} */
  params = {};
  baseUrl = '';

  get originalUrl() {
    return this.url ?? '/';
  }

  get path() {
    return this.originalUrl.split('?', 1)[0] ?? '/';
  }

  get query() {
    const mark = this.originalUrl.indexOf('?');
    return mark < 0 ? {} : parseForm(this.originalUrl.slice(mark + 1));
  }

  get protocol() {
    return this.get('x-forwarded-proto') ?? 'http';
  }

  get secure() {
    return this.protocol === 'https';
  }

  get hostname() {
    return this.get('host')?.replace(/:\d+$/, '');
  }

  get ip() {
    return this.socket.remoteAddress;
  }

  get xhr() {
    return this.get('x-requested-with')?.toLowerCase() === 'xmlhttprequest';
  }

  /** @param {string} name @returns {string | undefined} */
  get(name) {
    const wanted = name.toLowerCase();
    const value = this.headers[wanted === 'referrer' ? 'referer' : wanted];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /** @param {string} name */
  header(name) {
    return this.get(name);
  }

  /** Whether its body is of a type. @param {...string} types such as `json`, `text/*`, `application/json` @returns {string | false} the first that it is of */
  is(...types) {
    const type = typeOf(this.headers);
    return types.flat().find((wanted) => isOfType(type, wanted)) ?? false;
  }
}

/** @param {import('node:http').IncomingHttpHeaders} headers */
const typeOf = (headers) => (headers['content-type']?.split(';', 1)[0] ?? '').trim().toLowerCase();

/** @param {string} type @param {string} wanted */
function isOfType(type, wanted) {
  if (type === '') return false;
  const full = wanted.includes('/') ? wanted : (shortTypes[wanted]?.split(';', 1)[0] ?? `application/${wanted}`);
  return full.endsWith('/*') ? type.startsWith(full.slice(0, -1)) : type === full || (wanted === 'json' && type.endsWith('+json'));
}

/** JSON that is none. */
export class BadBody extends Error {}

/** Reads a body by its type. @param {GoogleRequest} request @param {Buffer} bytes @throws BadBody */
export function readBody(request, bytes) {
  // What other readers of bodies go by: this one is read.
  Object.assign(request, { _body: true });
  if (bytes.length === 0) return;
  request.rawBody = bytes;
  const type = typeOf(request.headers);
  if (type === 'application/json' || type.endsWith('+json')) request.body = jsonOf(bytes);
  else if (type === 'application/x-www-form-urlencoded') request.body = { ...parseForm(bytes.toString()) };
  else if (type.startsWith('text/')) request.body = bytes.toString();
  else request.body = bytes;
}

/** @param {Buffer} bytes */
function jsonOf(bytes) {
  try {
    return JSON.parse(bytes.toString());
  } catch (error) {
    throw new BadBody(`the request's body is no JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export class GoogleResponse extends ServerResponse {
  /** @type {Record<string, unknown>} */
  locals = {};

  /** @param {number} code */
  status(code) {
    this.statusCode = code;
    return this;
  }

  /** @param {number} code */
  sendStatus(code) {
    return this.status(code)
      .type('txt')
      .send(STATUS_CODES[code] ?? String(code));
  }

  /** @param {string | Record<string, string | string[]>} name @param {string | string[]} [value] */
  set(name, value) {
    if (typeof name === 'object') for (const [one, its] of Object.entries(name)) this.setHeader(one, its);
    else this.setHeader(name, Array.isArray(value) ? value.map(String) : String(value));
    return this;
  }

  /** @param {string | Record<string, string | string[]>} name @param {string | string[]} [value] */
  header(name, value) {
    return this.set(name, value);
  }

  /** @param {string} name */
  get(name) {
    return this.getHeader(name);
  }

  /** @param {string} name @param {string | string[]} value */
  append(name, value) {
    const before = this.getHeader(name);
    return this.set(name, before === undefined ? value : [before, value].flat().map(String));
  }

  /** @param {string} type a media type, or a short name such as `json` */
  type(type) {
    return this.set('content-type', type.includes('/') ? type : (shortTypes[type.replace(/^\./, '')] ?? bytesType));
  }

  /** @param {string} type */
  contentType(type) {
    return this.type(type);
  }

  /** @param {string} field */
  vary(field) {
    return this.append('vary', field);
  }

  /** @param {string} url */
  location(url) {
    return this.set('location', encodeURI(url).replaceAll('%25', '%'));
  }

  /** @param {number | string} status or the address @param {string} [url] */
  redirect(status, url) {
    const [code, address] = typeof status === 'number' ? [status, url ?? '/'] : [found, status];
    return this.status(code)
      .location(address)
      .type('txt')
      .send(`${STATUS_CODES[code] ?? code}. Redirecting to ${address}`);
  }

  /** @param {string} name @param {unknown} value @param {CookieOptions} [options] */
  cookie(name, value, options = {}) {
    const text = typeof value === 'object' ? `j:${JSON.stringify(value)}` : String(value);
    return this.append('set-cookie', cookieOf(name, text, options));
  }

  /** @param {string} name @param {CookieOptions} [options] */
  clearCookie(name, options = {}) {
    return this.append('set-cookie', cookieOf(name, '', { ...options, expires: new Date(1) }));
  }

  /** @param {unknown} value */
  json(value) {
    if (!this.hasHeader('content-type')) this.type('json');
    this.end(JSON.stringify(value) ?? '');
    return this;
  }

  /** @param {unknown} [body] text, bytes, or what is sent as JSON */
  send(body) {
    if (typeof body === 'string') {
      if (!this.hasHeader('content-type')) this.type('html');
      this.end(body);
    } else if (body instanceof Uint8Array) {
      if (!this.hasHeader('content-type')) this.type('bin');
      this.end(body);
    } else if (body === undefined || body === null) this.end();
    else this.json(body);
    return this;
  }
}

/**
 * @typedef {{ domain?: string, expires?: Date, httpOnly?: boolean, maxAge?: number, path?: string, sameSite?: boolean | string, secure?: boolean }} CookieOptions maxAge in ms, as Express has it
 * @param {string} name @param {string} value @param {CookieOptions} options
 */
function cookieOf(name, value, { domain, expires, httpOnly, maxAge, path = '/', sameSite, secure }) {
  const parts = [`${name}=${encodeURIComponent(value)}`];
  if (maxAge !== undefined) parts.push(`Max-Age=${Math.floor(maxAge / 1000)}`);
  if (domain !== undefined) parts.push(`Domain=${domain}`);
  parts.push(`Path=${path}`);
  const until = maxAge === undefined ? expires : new Date(Date.now() + maxAge);
  if (until !== undefined) parts.push(`Expires=${until.toUTCString()}`);
  if (httpOnly === true) parts.push('HttpOnly');
  if (secure === true) parts.push('Secure');
  if (sameSite !== undefined && sameSite !== false) parts.push(`SameSite=${sameSite === true ? 'Strict' : sameSite}`);
  return parts.join('; ');
}
