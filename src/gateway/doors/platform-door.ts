/** Requests for what lies under `/_/`: the platform's own. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { judge } from '../../model/rights.ts';
import { invokeKind } from '../../wire/instance-protocol.ts';
import { functionKey } from '../../wire/published-state.ts';
import type { Access, Sender } from '../protection/access.ts';
import type { EventDoor } from './event-door.ts';
import { knowsNothing, unknownFunction } from '../request/failures.ts';
import { onceDecided, refuseCaller } from './function-door.ts';
import type { Gateway } from '../gateway.ts';
import { laneOf, originIn } from './lane-of.ts';
import { type PlatformPath, platformPath } from './platform-paths.ts';
import { wantsNoAnswer } from './prefer.ts';

export interface PlatformDoorMeans {
  readonly gateway: Gateway;
  readonly eventDoor: EventDoor;
  readonly access: Access;
  readonly isReady: () => boolean;
  /** Whether control has said what there is, its tokens among it. */
  readonly knowsFunctions: () => boolean;
}

type Wanted<Kind> = Extract<PlatformPath, { kind: Kind }>;

/** @param path what follows `/_` */
export function answerPlatform(means: PlatformDoorMeans, request: IncomingMessage, response: ServerResponse, path: string): void {
  const { gateway, isReady, knowsFunctions } = means;
  const refuse = (error: SwiftletError) => gateway.refuse(request, response, randomUUID(), error);
  const wanted = platformPath(path);
  if (wanted.kind === 'health') sendHealth(response, isReady());
  else if (wanted.kind === 'unknown') refuse(new SwiftletError('NotFound', 'the platform has no such path; functions are at /<function>/'));
  else if (!knowsFunctions()) refuse(knowsNothing());
  else answerKnown(means, request, response, wanted);
}

/** What needs a token. */
function answerKnown(
  means: PlatformDoorMeans,
  request: IncomingMessage,
  response: ServerResponse,
  wanted: Wanted<'event'> | Wanted<'invoke'>,
): void {
  const sender = means.access.identify(request.headers, request.socket.remoteAddress ?? '');
  if (sender.kind === 'pending') onceDecided(sender, response, () => answerKnown(means, request, response, wanted));
  else if (sender.kind === 'refused') refuseCaller(means.gateway, request, response, sender);
  else if (wanted.kind === 'event') answerStatus(means, request, response, wanted, sender);
  else answerInvoke(means, request, response, wanted, sender);
}

function answerStatus(
  { gateway, eventDoor, access }: PlatformDoorMeans,
  request: IncomingMessage,
  response: ServerResponse,
  { tenant: named, id }: Wanted<'event'>,
  { caller }: Extract<Sender, { kind: 'granted' }>,
): void {
  const tenant = access.tenantOf(named, caller);
  if (request.method !== 'GET')
    gateway.refuse(request, response, randomUUID(), new SwiftletError('MethodNotAllowed', 'the state of an event is read with GET'));
  else if (tenant === undefined)
    gateway.refuse(
      request,
      response,
      randomUUID(),
      new SwiftletError('EventNotFound', 'there is no such event: it is of no tenant of this token'),
    );
  else {
    // Whoever may send events may see what becomes of them.
    const maySee = (name: string) =>
      (['invoke', 'read'] as const).some((right) => judge(caller, right, { kind: 'function', tenant, name }) === 'granted');
    eventDoor.status(request, response, { tenant, id }, maySee);
  }
}

function answerInvoke(
  { gateway, eventDoor, access }: PlatformDoorMeans,
  request: IncomingMessage,
  response: ServerResponse,
  { tenant: named, name }: Wanted<'invoke'>,
  known: Extract<Sender, { kind: 'granted' }>,
): void {
  const refuse = (error: SwiftletError) => gateway.refuse(request, response, randomUUID(), error);
  const tenant = access.tenantOf(named, known.caller);
  if (tenant === undefined) {
    refuse(unknownFunction(name));
    return;
  }
  const key = functionKey(tenant, name);
  const passage = access.invoking(known, { tenant, key, name });
  const { prefer } = request.headers;
  const isAsync = prefer !== undefined && wantsNoAnswer(prefer);
  const way = laneOf(gateway, { key, name }, request.headers, isAsync);
  if (passage.kind === 'refused') refuseCaller(gateway, request, response, passage);
  else if (request.method !== 'POST') refuse(new SwiftletError('MethodNotAllowed', 'an event is sent with POST'));
  else if (way instanceof SwiftletError) refuse(way);
  else if (isAsync) eventDoor.accept(request, response, { ...way, tenant, kind: 'event', target: '/' });
  else gateway.handle(request, response, way.key, way.name, invokeKind.event, '/', true, undefined, undefined, originIn(way.lane));
}

function sendHealth(response: ServerResponse, ready: boolean): void {
  response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify({ ready }));
}
