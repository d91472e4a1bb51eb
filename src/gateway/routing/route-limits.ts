/** What a route limits of the requests that it takes. Budget: nothing for those without limits. */
import type { IncomingMessage } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { bodyLengthOf } from '../http/request-headers.ts';
import { bucketKey, type SharedLimits } from '../protection/shared-limits.ts';
import { bodyTooLarge } from '../request/dispatch.ts';
import type { TakenRoute } from './taken-route.ts';

type Head = Pick<IncomingMessage, 'headers' | 'rawHeaders' | 'socket'>;

/**
 * Takes a token of each of a route's rates, where other gateways take them, too.
 * @returns undefined when it has none; else why the request does not pass
 */
export function refusedByShared(
  shared: Pick<SharedLimits, 'take'>,
  { open: { key, route, routeKey, rates } }: TakenRoute,
  { headers, socket }: Head,
): Promise<SwiftletError | undefined> | undefined {
  if (rates === undefined) return undefined;
  const ip = socket.remoteAddress ?? '';
  const buckets = rates
    .keys(headers, ip)
    .map(({ id, rate }) => ({ ...rate, key: bucketKey('route', key, route.host ?? '', route.path, id) }));
  return shared.take(buckets).then((taken) => {
    if (taken === 'taken') return undefined;
    if (taken === undefined) return rates.take(routeKey, headers, ip, performance.now(), 'route');
    return rates.exceeded(routeKey, taken.at, taken.retryAfterMs, 'route');
  });
}

/**
 * Why a request does not pass; one that does has taken a token of each of the route's rates.
 * @param isRated whether it has taken them before
 */
export function refusedByRoute(taken: TakenRoute, request: Head, nowMs: number, isRated = false): SwiftletError | undefined {
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
  return isRated ? undefined : rates?.take(routeKey, request.headers, request.socket.remoteAddress ?? '', nowMs, 'route');
}

function headerBytes(raw: readonly string[]): number {
  let bytes = 0;
  for (const text of raw) bytes += text.length;
  return bytes;
}
