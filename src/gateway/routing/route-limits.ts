/** What a route limits of the requests that it takes. Budget: nothing for those without limits. */
import type { IncomingMessage } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { bodyLengthOf } from '../http/request-headers.ts';
import { bodyTooLarge } from '../request/dispatch.ts';
import type { TakenRoute } from './taken-route.ts';

type Head = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'socket'>;

/** Why a request does not pass; one that does has taken a token of each of the route's rates. */
export function refusedByRoute(taken: TakenRoute, request: Head, nowMs: number): SwiftletError | undefined {
  const { route, rates, routeKey } = taken.open;
  const { maxBodyBytes, maxHeaderBytes } = route;
  if (maxHeaderBytes !== undefined && headerBytes(request.rawHeaders) > maxHeaderBytes)
    return new SwiftletError(
      'HeadersTooLarge',
      `the request's headers are over the ${maxHeaderBytes} bytes of the route ${routeKey}; send less`,
      {
        limit: `${maxHeaderBytes} bytes`,
      },
    );
  if (maxBodyBytes !== undefined && bodyLengthOf(request) > maxBodyBytes) return bodyTooLarge(taken);
  return rates?.take(routeKey, request.headers, request.socket.remoteAddress ?? '', nowMs, 'route');
}

function headerBytes(raw: readonly string[]): number {
  let bytes = 0;
  for (const text of raw) bytes += text.length;
  return bytes;
}
