/** The headers that a function sees: the caller's without what is between hops or what only the platform may say, then ours. Budget: 1 µs. */
import type { IncomingHttpHeaders } from 'node:http';

const dropped = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'proxy-authorization',
  'proxy-authenticate',
  'forwarded',
  'x-real-ip',
  'content-length',
]);
const droppedPrefixes = ['x-forwarded-', 'x-swiftlet-'] as const;

/** Names as callers write them, in lower case; undefined for those that are dropped. Bounded, since callers choose names. */
const known = new Map<string, string | undefined>();
const maxKnown = 2_000;

function seenAs(name: string): string | undefined {
  if (known.has(name)) return known.get(name);
  const lower = name.toLowerCase();
  const value = dropped.has(lower) || droppedPrefixes.some((prefix) => lower.startsWith(prefix)) ? undefined : lower;
  if (known.size < maxKnown) known.set(name, value);
  return value;
}

/**
 * The caller's headers without those that end here.
 * @param raw names and values in turn, as node:http gives them
 * @param connection the Connection header, whose tokens name more headers that end here
 */
export function endToEndHeaders(raw: readonly string[], connection: string | undefined): string[] {
  const named =
    connection === undefined || connection === 'keep-alive' || connection === 'close'
      ? undefined
      : connection
          .toLowerCase()
          .split(',')
          .map((token) => token.trim());
  const headers: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = seenAs(raw[at] ?? '');
    if (name !== undefined && named?.includes(name) !== true) headers.push(name, raw[at + 1] ?? '');
  }
  return headers;
}

/** What a function sees of a request's headers. @param raw, connection as above */
export function forwardedHeaders(
  raw: readonly string[],
  connection: string | undefined,
  remoteAddress: string,
  host: string,
  scheme = 'http',
): string[] {
  const headers = endToEndHeaders(raw, connection);
  headers.push('x-forwarded-for', remoteAddress, 'x-forwarded-proto', scheme, 'x-forwarded-host', host);
  return headers;
}

/** @returns the body's length in bytes, 0 for none, -1 when it is not known */
export function bodyLengthOf({ headers }: { readonly headers: IncomingHttpHeaders }): number {
  if (headers['transfer-encoding'] !== undefined) return -1;
  const length = headers['content-length'];
  return length === undefined ? 0 : Number(length);
}
