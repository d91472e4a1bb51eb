import type { IncomingHttpHeaders } from 'node:http';
import type { Sticky } from '../../model/traffic.ts';

/** What of a request decides about its version; undefined when it has nothing of the kind. */
export function stickyValue(sticky: Sticky, headers: IncomingHttpHeaders): string | undefined {
  if ('cookie' in sticky) return headers.cookie === undefined ? undefined : cookieValue(headers.cookie, sticky.cookie);
  const value = headers[sticky.header];
  return Array.isArray(value) ? value.join() : value;
}

/** The first cookie of this name (RFC 6265: pairs with `; ` between them). */
function cookieValue(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim();
  }
  return undefined;
}
