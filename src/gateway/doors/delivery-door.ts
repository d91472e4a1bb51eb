/**
 * Where stored events come back: HTTP on a socket that only roles can reach. Each goes the same way as a request of its own.
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
import { functionOf } from '../request/failures.ts';
import { inLane } from '../routing/lane.ts';
import { route } from '../routing/route.ts';

export interface DeliveryDoorMeans {
  readonly gateway: Pick<Gateway, 'find' | 'serves' | 'handle' | 'refuse'>;
  /** Whether the gateway knows what functions there are, and takes requests. */
  readonly isOpen: () => boolean;
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

function deliver({ gateway, isOpen }: DeliveryDoorMeans, request: IncomingMessage, response: ServerResponse): void {
  const id = String(request.headers[deliveryHeaders.eventId] ?? '');
  const origin = originOf(request.headers);
  if (!isOpen()) {
    gateway.refuse(request, response, id, new SwiftletError('Unavailable', 'the gateway is starting or stopping'));
    return;
  }
  const sourceIp = String(request.headers[deliveryHeaders.sourceIp] ?? '');
  const wanted = deliveryOf(request.url ?? '');
  const lanes = gateway.find(functionOf(wanted?.key ?? ''))?.config.lanes;
  const way = wanted && inLane(wanted, lanes, origin.lane, (key) => gateway.serves(key));
  if (way === undefined) gateway.refuse(request, response, id, new SwiftletError('PathInvalid', 'a delivery is for a function'));
  else if (way instanceof SwiftletError) gateway.refuse(request, response, id, way);
  else gateway.handle(request, response, way.key, way.name, way.kind, way.target, true, sourceIp, id, origin);
}

/** What is delivered, and to which function. @returns undefined for what is for none */
function deliveryOf(url: string): { key: string; name: string; kind: number; target: string } | undefined {
  const way = route(url);
  if (way.kind === 'function') return { key: way.key, name: way.name, kind: invokeKind.http, target: way.rest };
  const wanted = way.kind === 'platform' ? platformPath(way.path) : undefined;
  if (wanted?.kind !== 'invoke') return undefined;
  const { tenant = defaultTenant, name } = wanted;
  return { key: functionKey(tenant, name), name, kind: invokeKind.event, target: '/' };
}
