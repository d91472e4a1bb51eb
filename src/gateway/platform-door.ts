/** Requests for what lies under `/_/`: the platform's own. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SwiftletError } from '../model/errors.ts';
import { defaultTenant } from '../model/names.ts';
import { invokeKind } from '../wire/instance-protocol.ts';
import { functionKey } from '../wire/published-state.ts';
import type { EventDoor } from './event-door.ts';
import type { Gateway } from './gateway.ts';
import { knowsNothing } from './failures.ts';
import { isAuthorised, platformPath } from './platform-paths.ts';
import { wantsNoAnswer } from './prefer.ts';

export interface PlatformDoorMeans {
  readonly gateway: Gateway;
  readonly eventDoor: EventDoor;
  readonly isReady: () => boolean;
  /** Whether control has said what there is, its tokens among it. */
  readonly knowsFunctions: () => boolean;
  /** Of the tokens that open it, SHA-256 in hex. */
  readonly tokenHashes: () => readonly string[];
}

/** @param path what follows `/_` */
export function answerPlatform(
  { gateway, eventDoor, isReady, knowsFunctions, tokenHashes }: PlatformDoorMeans,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): void {
  const refuse = (error: SwiftletError) => gateway.refuse(request, response, randomUUID(), error);
  const wanted = platformPath(path);
  if (wanted.kind === 'health') sendHealth(response, isReady());
  else if (wanted.kind === 'unknown') refuse(new SwiftletError('NotFound', 'the platform has no such path; functions are at /<function>/'));
  else if (!knowsFunctions()) refuse(knowsNothing());
  else if (!isAuthorised(request.headers.authorization, tokenHashes())) refuse(tokenMissing());
  else if (wanted.kind === 'event') {
    if (request.method === 'GET') eventDoor.status(request, response, wanted.id);
    else refuse(new SwiftletError('MethodNotAllowed', 'the state of an event is read with GET'));
  } else if (request.method !== 'POST') refuse(new SwiftletError('MethodNotAllowed', 'an event is sent with POST'));
  else {
    const key = functionKey(defaultTenant, wanted.name);
    const { prefer } = request.headers;
    if (prefer !== undefined && wantsNoAnswer(prefer))
      eventDoor.accept(request, response, { key, name: wanted.name, kind: 'event', target: '/' });
    else gateway.handle(request, response, key, wanted.name, invokeKind.event, '/');
  }
}

function sendHealth(response: ServerResponse, ready: boolean): void {
  response.writeHead(ready ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify({ ready }));
}

const tokenMissing = (): SwiftletError =>
  new SwiftletError(
    'Unauthorized',
    'events are sent and asked for with the header "Authorization: Bearer <token>"; the token lies in SWIFTLET_HOME/token',
  );
