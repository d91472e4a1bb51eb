/** Requests that nobody waits for: handed to the event log, and answered with 202 once it has them on its disk; never before. */
import { randomUUIDv7 } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import { maxEventBytes } from '../../model/limits.ts';
import { aliasMark } from '../../model/traffic.ts';
import { traceparentHeader, traceparentOf } from '../../model/traceparent.ts';
import type { Pass } from '../../role/fault-points.ts';
import type { CallClient } from '../../wire/calls.ts';
import type { z } from 'zod';
import { acceptedSchema, type acceptSchema, type CallerRequest, eventIdSchema, eventSchema } from '../../wire/event-calls.ts';
import type { Authorizer, InvokeWay } from '../../wire/instance-protocol.ts';
import { functionKey } from '../../wire/published-state.ts';
import { collectBody, tooLarge } from './collect-body.ts';
import { type EventKeys, eventKeysOf } from './event-keys.ts';
import { bodyTooLarge } from '../request/dispatch.ts';
import { invokeWayOf } from '../request/invoke-way.ts';
import { unknownFunction } from '../request/failures.ts';
import type { Gateway } from '../gateway.ts';
import type { Origin } from './origin.ts';
import { eventPath } from './platform-paths.ts';
import { respondAsync } from './prefer.ts';
import { bodyLengthOf, endToEndHeaders } from '../http/request-headers.ts';
import type { TakenRoute } from '../routing/taken-route.ts';

const acceptLimitMs = 5_000;
const statusLimitMs = 2_000;
/** Bytes of requests that may be on their way to the log at once. */
const maxAcceptingBytes = 32 * 1024 * 1024;
/** What each counts beside its headers and its body. */
const leastBytes = 4 * 1024;
const noHeaders: IncomingHttpHeaders = {};

/** Where an event goes. */
export interface EventWay {
  readonly tenant: string;
  readonly key: string;
  readonly name: string;
  readonly kind: CallerRequest['kind'];
  readonly target: string;
  /** The route by which it came, if one did. */
  readonly taken?: TakenRoute | undefined;
  /** The lane that it is in; absent: the main one. */
  readonly lane?: string | undefined;
  /** What its sender has shown, where the function wants to know. */
  readonly authorizer?: Authorizer | undefined;
}

/** An event that a function sends, or that is made of a request. */
export interface SentEvent {
  readonly id: string;
  readonly tenant: string;
  readonly function: string;
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly origin: Origin;
  readonly keys?: EventKeys;
}

export interface EventDoorMeans {
  readonly events: CallClient;
  readonly gateway: Pick<Gateway, 'find' | 'misplaced' | 'refuse'>;
  /** Whether the gateway knows what functions there are. */
  readonly knowsFunctions: () => boolean;
  readonly pass: Pass;
}

export class EventDoor {
  readonly #means: EventDoorMeans;
  #acceptingBytes = 0;

  constructor(means: EventDoorMeans) {
    this.#means = means;
  }

  /** Stores a request as an event. */
  accept(request: IncomingMessage, response: ServerResponse, way: EventWay): void {
    const id = randomUUIDv7();
    this.#store(request, id, way).then(
      (storedAs) => {
        this.#means.pass('before-202');
        sendAccepted(response, way.tenant, storedAs);
      },
      (error: unknown) => this.#refuse(request, response, id, error),
    );
  }

  /**
   * Stores an event that is no request as it came.
   * @returns the id under which it is stored: an earlier one's, when this one repeats it
   * @throws SwiftletError EventNotStored, FunctionNotFound, TooManyRequests, RequestTooLarge, IdempotencyKeyReused, QuotaExceeded
   */
  store({ id, tenant, function: name, body, sourceIp, origin, keys }: SentEvent): Promise<string> {
    const way: EventWay = { tenant, key: functionKey(tenant, name), name, kind: 'event', target: '/' };
    const { hops, caller, traceparent, lane, way: came } = origin;
    return this.#holding(way, noHeaders, body.length, leastBytes + body.length, () => {
      const request = {
        kind: way.kind,
        method: 'POST',
        target: way.target,
        sourceIp,
        headers: traceHeaders(traceparent),
        ...(caller === undefined ? {} : { caller }),
        ...goesBy(lane, came),
      };
      return this.#ask({ id, tenant, function: name, request, body: body.toString('base64'), hops, ...keys });
    });
  }

  /** Answers with the state of an event. @param maySee whether the caller may see events of a function */
  status(
    request: IncomingMessage,
    response: ServerResponse,
    event: { tenant: string; id: string },
    maySee: (name: string) => boolean,
  ): void {
    this.#statusOf(event, maySee).then(
      (body) => sendJson(response, 200, ['cache-control', 'no-store'], body),
      (error: unknown) => this.#refuse(request, response, event.id, error),
    );
  }

  /** @returns the id under which it is stored: an earlier request's, when this one repeats it */
  async #store(request: IncomingMessage, id: string, way: EventWay): Promise<string> {
    const keys = eventKeysOf(request.headers);
    const length = bodyLengthOf(request);
    return this.#holding(way, request.headers, length, bytesOf(request, length), async () => {
      // What is sent along with the body is read first: the request may be gone afterwards.
      const sent = requestOf(request, way);
      const body = length === 0 ? Buffer.alloc(0) : await bodyOf(request, way);
      return this.#ask({ id, tenant: way.tenant, function: way.name, request: sent, body: body.toString('base64'), ...keys });
    });
  }

  /** Counts what an event takes until it is stored. @throws SwiftletError why it cannot become one */
  async #holding<T>(way: EventWay, headers: IncomingHttpHeaders, length: number, bytes: number, work: () => Promise<T>): Promise<T> {
    this.#demand(way, headers, length, bytes);
    this.#acceptingBytes += bytes;
    try {
      return await work();
    } finally {
      this.#acceptingBytes -= bytes;
    }
  }

  async #ask(event: z.input<typeof acceptSchema>): Promise<string> {
    const answer = await this.#means.events.ask('accept', event, acceptLimitMs).catch((error: unknown) => {
      throw isCallers(error) ? error : notStored(error instanceof Error ? error.message : String(error), error);
    });
    return acceptedSchema.parse(answer).id ?? event.id;
  }

  /** @throws SwiftletError why a request cannot become an event */
  #demand(way: EventWay, headers: IncomingHttpHeaders, length: number, bytes: number): void {
    const { events, gateway, knowsFunctions } = this.#means;
    if (!knowsFunctions()) throw notStored('the gateway does not know the functions yet');
    if (way.name.includes(aliasMark))
      throw new SwiftletError('BadRequest', 'events that nobody waits for go by the alias "live"; send them to the function’s own address');
    const version = gateway.find(way.key);
    if (version === undefined) throw unknownFunction(way.name);
    const misplaced = gateway.misplaced(version, headers);
    if (misplaced !== undefined) throw misplaced;
    if (length > maxEventBytes) throw tooLarge(maxEventBytes);
    // Nobody is kept waiting for a role that is not there.
    if (!events.connected) throw notStored('the event log is away');
    if (this.#acceptingBytes + bytes > maxAcceptingBytes)
      throw new SwiftletError('TooManyRequests', 'too many asynchronous requests come at once; send fewer at once');
  }

  async #statusOf({ tenant, id }: { tenant: string; id: string }, maySee: (name: string) => boolean): Promise<object> {
    const { events } = this.#means;
    if (!eventIdSchema.safeParse(id).success) throw new SwiftletError('EventNotFound', 'there is no such event: an id is a UUID');
    if (!events.connected) throw new SwiftletError('Unavailable', 'the event log is away; ask again in a moment');
    const event = eventSchema.parse(await events.ask('event', { tenant, id }, statusLimitMs));
    if (maySee(event.function)) return event;
    throw new SwiftletError('EventNotFound', `there is no event ${id}; those that ended well are forgotten after a day`);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, id: string, error: unknown): void {
    if (response.destroyed) return;
    const known =
      error instanceof SwiftletError ? error : new SwiftletError('Internal', 'an asynchronous request failed', { cause: error });
    this.#means.gateway.refuse(request, response, id, known);
  }
}

/** A route may take less than an event may have. */
function bodyOf(request: IncomingMessage, { taken }: EventWay): Promise<Buffer> {
  const ofRoute = taken?.open.route.maxBodyBytes;
  if (ofRoute === undefined || ofRoute >= maxEventBytes) return collectBody(request, maxEventBytes);
  return collectBody(request, ofRoute, () => bodyTooLarge(taken));
}

/** What a request takes until it is stored; one whose length is not told counts with the most that it may have. */
function bytesOf({ rawHeaders }: IncomingMessage, length: number): number {
  let bytes = leastBytes + (length < 0 ? maxEventBytes : length);
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}

/** The platform's own headers, the token among them, are not part of an event. */
const requestOf = (
  { method, rawHeaders, headers, socket }: IncomingMessage,
  { kind, target, lane, taken, authorizer }: EventWay,
): CallerRequest => ({
  kind,
  method: method ?? 'GET',
  target,
  sourceIp: socket.remoteAddress ?? '',
  headers: kind === 'event' ? traceHeaders(traceparentOf(headers.traceparent)) : endToEndHeaders(rawHeaders, headers.connection),
  ...goesBy(lane, invokeWayOf(taken, authorizer)),
});

/** What few events have. */
const goesBy = (lane: string | undefined, way: InvokeWay | undefined): Pick<CallerRequest, 'lane' | 'way'> => ({
  ...(lane === undefined ? {} : { lane }),
  ...(way === undefined ? {} : { way }),
});

/** All that an event keeps of the headers that it came with. */
const traceHeaders = (traceparent: string | undefined): string[] => (traceparent === undefined ? [] : [traceparentHeader, traceparent]);

/** To send it again would not help. */
const isCallers = (error: unknown): boolean =>
  error instanceof SwiftletError && (error.code === 'IdempotencyKeyReused' || error.code === 'QuotaExceeded');

const notStored = (why: string, cause?: unknown): SwiftletError =>
  new SwiftletError('EventNotStored', `the event was not accepted: ${why}; send it again`, cause === undefined ? {} : { cause });

export function sendAccepted(response: ServerResponse, tenant: string, id: string): void {
  const statusUrl = eventPath(tenant, id);
  sendJson(response, 202, ['preference-applied', respondAsync, 'location', statusUrl, 'x-swiftlet-request-id', id], { id, statusUrl });
}

export function sendJson(response: ServerResponse, status: number, headers: readonly string[], value: object): void {
  if (response.destroyed) return;
  const body = JSON.stringify(value);
  response.writeHead(status, [...headers, 'content-type', 'application/json', 'content-length', String(Buffer.byteLength(body))]);
  response.end(body);
}
