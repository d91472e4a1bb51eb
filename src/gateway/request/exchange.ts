import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ErrorCode, SwiftletError } from '../../model/errors.ts';
import type { Start } from '../../model/phases.ts';
import { type Authorizer, initialCreditBytes } from '../../wire/instance-protocol.ts';
import type { Backlog } from '../http/backlog.ts';
import type { InstanceLink } from '../instances/instance-link.ts';
import { fromOutside, type Origin } from '../doors/origin.ts';
import type { ResponseHeadChecked } from '../http/response-head.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import type { ServedVersion } from '../instances/served-version.ts';
import type { TakenRoute } from '../routing/taken-route.ts';
import { offerOf } from '../web-socket/handshake.ts';
import type { Offer } from '../web-socket/offer.ts';
import type { Tunnel } from '../web-socket/tunnel.ts';
import type { WaitedStart } from '../instances/waited-start.ts';

/** Where a request is on its way. One that is ahead was sent to an instance that is not initialised, and begins when it is. */
export type ExchangeState = 'waiting' | 'ahead' | 'dispatched' | 'settled';

/** The calls of one invocation that have no answer yet. */
export interface OpenCalls {
  count: number;
  /** Ends them all when their invocation has ended. */
  readonly ended: AbortController;
}

/**
 * One request and its answer: a record that the steps of the way fill in. Fields rather than closures, since there is one for every
 * request. Times are milliseconds of the monotonic clock.
 */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly id: string;
  readonly served: ServedVersion;
  /** What its caller named: the key of a function or an alias, or the id of a version. */
  readonly wanted: string;
  /** `invokeKind` of the wire. */
  readonly kind: number;
  readonly target: string;
  readonly sourceIp: string;
  readonly origin: Origin;
  /** -1 unknown, 0 none. */
  readonly bodyLength: number;
  readonly arrivedAt: number;
  state: ExchangeState = 'waiting';
  /** Its index in the roster. */
  place = 0;
  /** Why nobody takes the instance's answer any more: the caller has another already, or has hung up. */
  abandoned: ErrorCode | undefined;
  /** When it is given up: first as a waiting one, then as a running one. */
  deadline: number;
  /** When its caller waits no longer, as he said, or has no more time himself; infinite when neither is known. */
  callerDeadline = Number.POSITIVE_INFINITY;
  /** The route by which it came; undefined when it came by its function's own address. */
  taken: TakenRoute | undefined;
  /** What its caller has shown, where the function wants to know. */
  authorizer: Authorizer | undefined;
  /** Whether it has a token of each rate that other gateways count, too; undefined while that was not asked, and where there are none. */
  rated: 'taken' | SwiftletError | undefined;
  /** It shows whether a version that failed does well again. */
  isProbe = false;
  /** The error of another function that this one answers for. */
  fallbackFor: ErrorCode | undefined;
  dispatchedAt = 0;
  /** The caller's offer to go on with WebSocket, and what the request is once that was taken; since when, 0 for never. */
  readonly offer: Offer | undefined;
  tunnel: Tunnel | undefined;
  openedAt = 0;
  start: Start = 'warm';
  /** Absent for a cold one, too, when the agent was gone before it could tell. */
  waitedStart: WaitedStart | undefined;
  queueMs = 0;
  link: InstanceLink | undefined;
  stream = 0;
  /** Bytes of the request's body that came, and that may still be sent on. */
  received = 0;
  requestCredit = 0;
  /** The body as far as it was sent ahead, while it may have to be sent again; undefined as long as none of it was read. */
  bodyAhead: Buffer[] | undefined;
  bodyEnded = false;
  head: ResponseHeadChecked | undefined;
  headSent = false;
  /** The first bytes of the answer, held back until it is known whether there are more. */
  held: Buffer | undefined;
  sentBytes = 0;
  /** Bytes beyond the first piece of an answer that goes out whole. */
  collectedBytes = 0;
  /** The length that the caller was told. */
  announcedBytes: number | undefined;
  /** Bytes of the answer that the instance may send. */
  responseCredit = initialCreditBytes;
  /** Bytes of the answer that were written and that the caller has not taken yet; 0 while it takes what comes. */
  owedCredit = 0;
  /** Bytes that the caller took and the instance was not told of. */
  takenBytes = 0;
  /** Bytes of the answer that are not written yet. */
  backlog: Backlog | undefined;
  /** Since when the caller takes, or sends, nothing although it is its turn. */
  stalledSince = 0;
  /** What it calls itself. */
  calls: OpenCalls | undefined;
  handlerMs = 0;
  memoryMiB = 0;
  /** Absent while no traces are exported. */
  trace: RequestTrace | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    id: string,
    served: ServedVersion,
    kind: number,
    target: string,
    sourceIp: string,
    bodyLength: number,
    now: number,
    deadline: number,
    wanted: string = served.key,
    origin: Origin = fromOutside,
  ) {
    this.request = request;
    this.response = response;
    this.offer = offerOf(response);
    this.id = id;
    this.served = served;
    this.wanted = wanted;
    this.kind = kind;
    this.target = target;
    this.sourceIp = sourceIp;
    this.bodyLength = bodyLength;
    this.arrivedAt = now;
    this.deadline = deadline;
    this.origin = origin;
  }
}
