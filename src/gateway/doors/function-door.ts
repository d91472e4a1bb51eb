/** Requests for functions' own addresses: who may call, and whether anybody waits for the answer. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import type { CorsConfig } from '../../model/cors.ts';
import { invokeKind } from '../../wire/instance-protocol.ts';
import { type Access, dropAuthorization, type Passage, tokenHeader } from '../protection/access.ts';
import type { CloudEventDoor } from './cloud-event-door.ts';
import type { EventDoor } from './event-door.ts';
import { answerHeaders, isForAll, isPreflight, preflightHeaders } from '../http/cors.ts';
import { functionOf, knowsNothing } from '../request/failures.ts';
import type { Gateway } from '../gateway.ts';
import type { KeyedDoor } from './keyed-door.ts';
import { wantsNoAnswer } from './prefer.ts';
import { laneOf, originIn } from './lane-of.ts';
import { refusedByRoute, refusedByShared } from '../routing/route-limits.ts';
import type { SharedLimits } from '../protection/shared-limits.ts';
import type { SignedDoor } from './signed-door.ts';
import type { FunctionRoute } from '../routing/route.ts';
import { handshakeFault, notUpgradable, offerOf, offersWebSocket } from '../web-socket/handshake.ts';

export interface FunctionDoorMeans {
  readonly gateway: Pick<Gateway, 'find' | 'handle' | 'refuse' | 'serves'>;
  readonly eventDoor: Pick<EventDoor, 'accept'>;
  readonly cloudEvents: Pick<CloudEventDoor, 'take'>;
  readonly signedDoor: Pick<SignedDoor, 'verify'>;
  readonly keyedDoor: Pick<KeyedDoor, 'take'>;
  /** Limits that other gateways count, too; undefined: this is the only one. */
  readonly shared?: Pick<SharedLimits, 'take'> | undefined;
  readonly access: Pick<Access, 'toUrl'>;
  /** Whether control has said what there is. */
  readonly knowsFunctions: () => boolean;
}

export function answerFunction(means: FunctionDoorMeans, request: IncomingMessage, response: ServerResponse, way: FunctionRoute): void {
  const { gateway, signedDoor, keyedDoor, access, knowsFunctions } = means;
  const { headers } = request;
  const cors = gateway.find(functionOf(way.key))?.config.cors;
  if (cors !== undefined && meetPage(cors, request, response)) return;
  if (way.isPreflight === true) {
    refuseMethod(gateway, request, response, [String(headers['access-control-request-method'])]);
    return;
  }
  if (!knowsFunctions() && !isAsync(request)) {
    gateway.refuse(request, response, randomUUID(), knowsNothing());
    return;
  }
  // As long as nothing is known nothing is let through: an event is refused further on, with what its sender can act on.
  const passage = knowsFunctions() ? access.toUrl(way, headers, request.socket.remoteAddress ?? '') : ({ kind: 'open' } as const);
  switch (passage.kind) {
    case 'pending':
      onceDecided(passage, response, () => answerFunction(means, request, response, way));
      break;
    case 'refused':
      if (
        passage.error.code === 'Unauthorized' &&
        keyedDoor.take(request, response, way, (whole, by) => letIn(means, whole, response, way, by))
      )
        break;
      refuseCaller(gateway, request, response, passage);
      break;
    case 'if signed':
      signedDoor.verify(request, response, way, passage.version, passage.rule, (whole) => letIn(means, whole, response, way, passage));
      break;
    case 'granted':
    case 'open':
    case 'shown':
      letIn(means, request, response, way, passage);
  }
}

/**
 * Takes a request whose sender may send it.
 * @param came its way as it would be in no lane @param isRated whether it has a token of each of its route's rates
 */
function letIn(
  means: FunctionDoorMeans,
  request: IncomingMessage,
  response: ServerResponse,
  came: FunctionRoute,
  passage: Exclude<Passage, { kind: 'pending' | 'refused' }>,
  isRated = false,
): void {
  const { gateway, eventDoor, cloudEvents } = means;
  const offer = offerOf(response);
  const fault = offer !== undefined ? handshakeFault(request) : offersWebSocket(request) ? notUpgradable() : undefined;
  const way = fault ?? laneOf(gateway, came, request.headers, isAsync(request));
  if (way instanceof SwiftletError) {
    gateway.refuse(request, response, randomUUID(), way);
    return;
  }
  const isTrusted = passage.kind === 'granted';
  // A token that is no header of ours would reach the function, which could call others with it.
  if (isTrusted && request.headers[tokenHeader] === undefined) dropAuthorization(request.rawHeaders);
  const { key, name, rest, taken } = way;
  const asked = isRated || taken === undefined || means.shared === undefined ? undefined : refusedByShared(means.shared, taken, request);
  if (asked !== undefined) {
    void asked.then((refusal) => {
      if (response.destroyed) return;
      if (refusal !== undefined) gateway.refuse(request, response, randomUUID(), refusal);
      else letIn(means, request, response, came, passage, true);
    });
    return;
  }
  const authorizer = passage.kind === 'shown' || passage.kind === 'granted' ? passage.authorizer : undefined;
  const refusal = taken === undefined ? undefined : refusedByRoute(taken, request, performance.now(), isRated);
  if (refusal !== undefined) gateway.refuse(request, response, randomUUID(), refusal);
  else if (gateway.find(functionOf(key))?.config.events === 'cloudevents') cloudEvents.take(request, response, way, authorizer);
  else if (isAsync(request) && offer === undefined) eventDoor.accept(request, response, { ...way, kind: 'http', target: rest, authorizer });
  else {
    const origin = originIn(way.lane);
    gateway.handle(request, response, key, name, invokeKind.http, rest, isTrusted, undefined, undefined, origin, taken, authorizer);
  }
}

const isAsync = ({ headers: { prefer } }: IncomingMessage): boolean => prefer !== undefined && wantsNoAnswer(prefer);

/** There are routes by this path, for other methods. */
export function refuseMethod(
  gateway: Pick<Gateway, 'refuse'>,
  request: IncomingMessage,
  response: ServerResponse,
  methods: readonly string[],
): void {
  const allowed = methods.join(', ');
  response.setHeader('allow', allowed);
  gateway.refuse(request, response, randomUUID(), new SwiftletError('MethodNotAllowed', `this path is taken for ${allowed}`));
}

/** Says what pages of other origins may do. @returns whether that was all that was asked: no function wakes up for it */
function meetPage(cors: CorsConfig, request: IncomingMessage, response: ServerResponse): boolean {
  const { method, headers } = request;
  if (isPreflight(method, headers)) {
    response.writeHead(204, preflightHeaders(cors, headers)).end();
    return true;
  }
  const said = answerHeaders(cors, headers.origin);
  for (let at = 0; at < said.length; at += 2) response.setHeader(said[at] ?? '', said[at + 1] ?? '');
  if (!isForAll(cors)) response.setHeader('vary', 'origin');
  return false;
}

/** Goes on with a request as soon as it is known who sends it, unless he has hung up. */
export function onceDecided({ decided }: Extract<Passage, { kind: 'pending' }>, response: ServerResponse, goOn: () => void): void {
  const next = () => {
    if (!response.destroyed) goOn();
  };
  decided.then(next, next);
}

/** Refuses whoever has no right, and says how to come by it. */
export function refuseCaller(
  gateway: Pick<Gateway, 'refuse'>,
  request: IncomingMessage,
  response: ServerResponse,
  { error }: Extract<Passage, { kind: 'refused' }>,
): void {
  if (error.code === 'Unauthorized') response.setHeader('www-authenticate', 'Bearer realm="swiftlet"');
  gateway.refuse(request, response, randomUUID(), error);
}
