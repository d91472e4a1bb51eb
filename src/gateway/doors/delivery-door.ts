/**
 * Where stored events come back, and calls of functions go on: HTTP on a socket that only roles can reach. Each goes the same way as a
 * request of its own.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { clientIdleMs, maxHeaderBytes, maxHeaderCount } from '../../model/limits.ts';
import { defaultTenant } from '../../model/names.ts';
import { deliveryHeaders } from '../../wire/delivery.ts';
import { invokeKind } from '../../wire/instance-protocol.ts';
import { functionKey } from '../../wire/published-state.ts';
import type { Gateway } from '../gateway.ts';
import { originOf } from './origin.ts';
import { platformPath } from './platform-paths.ts';
import { route } from '../routing/route.ts';

export interface DeliveryDoorMeans {
  readonly gateway: Pick<Gateway, 'handle' | 'refuse'>;
  /** Whether the gateway knows what functions there are, and takes requests. */
  readonly isOpen: () => boolean;
  /** Whether what is under way is still being ended: what the gateway hands to itself belongs to that. */
  readonly isEnding: () => boolean;
}

/** @returns what closes it, with the deliveries that are still under way */
export async function openDeliveryDoor(socketPath: string, means: DeliveryDoorMeans): Promise<AsyncDisposable> {
  const server = createServer(
    // A little more than callers may send: the event's own headers come on top.
    { maxHeaderSize: 2 * maxHeaderBytes, headersTimeout: clientIdleMs, requestTimeout: 0, requireHostHeader: false },
    (request, response) => deliver(means, request, response),
  );
  server.maxHeadersCount = 2 * maxHeaderCount;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  return {
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

function deliver({ gateway, isOpen, isEnding }: DeliveryDoorMeans, request: IncomingMessage, response: ServerResponse): void {
  const id = String(request.headers[deliveryHeaders.eventId] ?? '');
  const origin = originOf(request.headers);
  if (!isOpen() && !(isEnding() && request.headers[deliveryHeaders.inner] !== undefined)) {
    gateway.refuse(request, response, id, new SwiftletError('Unavailable', 'the gateway is starting or stopping'));
    return;
  }
  const sourceIp = String(request.headers[deliveryHeaders.sourceIp] ?? '');
  const way = route(request.url ?? '');
  if (way.kind === 'function') {
    gateway.handle(request, response, way.key, way.name, invokeKind.http, way.rest, true, sourceIp, id, origin);
    return;
  }
  const wanted = way.kind === 'platform' ? platformPath(way.path) : { kind: 'unknown' as const };
  if (wanted.kind === 'invoke') {
    const key = functionKey(wanted.tenant ?? defaultTenant, wanted.name);
    gateway.handle(request, response, key, wanted.name, invokeKind.event, '/', true, sourceIp, id, origin);
  } else gateway.refuse(request, response, id, new SwiftletError('PathInvalid', 'a delivery is for a function'));
}
