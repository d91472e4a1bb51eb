/** What browsers are told about calls from other origins. Pure. Budget: nothing for functions that say nothing of them. */
import type { IncomingHttpHeaders } from 'node:http';
import type { CorsConfig } from '../../model/cors.ts';

const ours = 'access-control-';
/** What a browser may be given back of the headers that it asked for. */
const longestHeaders = 4_096;

/** A browser's question whether it may send a request. */
export const isPreflight = (method: string | undefined, headers: IncomingHttpHeaders): boolean =>
  method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;

/** The answer to it: names and values in turn. To pages that may not send it, nothing is allowed. */
export function preflightHeaders(cors: CorsConfig, headers: IncomingHttpHeaders): string[] {
  const allowed = originHeaders(cors, headers.origin);
  const answer = ['vary', 'origin, access-control-request-method, access-control-request-headers'];
  const method = String(headers['access-control-request-method']);
  if (allowed.length === 0 || cors.methods?.includes(method) === false) return answer;
  answer.push(...allowed, 'access-control-allow-methods', cors.methods?.join(', ') ?? method);
  const names = cors.headers.includes('*') ? askedFor(headers) : cors.headers.join(', ');
  if (names !== '') answer.push('access-control-allow-headers', names);
  answer.push('access-control-max-age', String(Math.floor(cors.maxAgeMs / 1_000)));
  return answer;
}

/** What every answer to a page of another origin says beside what it says anyway. */
export function answerHeaders(cors: CorsConfig, origin: string | undefined): string[] {
  const allowed = originHeaders(cors, origin);
  if (allowed.length > 0 && cors.expose.length > 0) allowed.push('access-control-expose-headers', cors.expose.join(', '));
  return allowed;
}

/**
 * Makes a function's own headers those of one whose origins the platform sees to: what it says of them itself is left out, and caches learn
 * that the answer depends on the origin.
 * @param headers names and values in turn; changed
 */
export function tidyCors(cors: CorsConfig, headers: string[]): void {
  let vary = -1;
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    const name = headers[at] ?? '';
    if (name.startsWith(ours)) headers.splice(at, 2);
    else if (name === 'vary') vary = at;
  }
  if (isForAll(cors)) return;
  // What was taken out may have stood before it.
  vary = vary < 0 ? -1 : headers.indexOf('vary');
  if (vary < 0) headers.push('vary', 'origin');
  else headers[vary + 1] = `${headers[vary + 1] ?? ''}, origin`;
}

/** Whether what is said does not depend on who asks. */
export const isForAll = ({ origins }: CorsConfig): boolean => origins.includes('*');

function originHeaders(cors: CorsConfig, origin: string | undefined): string[] {
  if (isForAll(cors)) return ['access-control-allow-origin', '*'];
  if (origin === undefined || !cors.origins.some((pattern) => covers(pattern, origin))) return [];
  return ['access-control-allow-origin', origin, ...(cors.credentials ? ['access-control-allow-credentials', 'true'] : [])];
}

/** `https://*.example.com` stands for any names before it. */
function covers(pattern: string, origin: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === origin;
  const [scheme, rest] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return origin.startsWith(scheme) && origin.endsWith(rest) && isNames(origin.slice(scheme.length, origin.length - rest.length));
}

function isNames(text: string): boolean {
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(text);
}

function askedFor(headers: IncomingHttpHeaders): string {
  const names = headers['access-control-request-headers'];
  return typeof names === 'string' && names.length <= longestHeaders ? names : '';
}
