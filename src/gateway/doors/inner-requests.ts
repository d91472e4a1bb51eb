/**
 * Requests that the gateway hands to itself, in memory: each goes the way of any other, with its limits, queues, metrics and report, and
 * only its head and its answer are on no connection.
 */
import { addAbortListener } from 'node:events';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { bodyChunkBytes } from '../../wire/frames.ts';
import { deliveryHeaders } from '../../wire/delivery.ts';
import { invokeKind } from '../../wire/instance-protocol.ts';
import { functionKey } from '../../wire/published-state.ts';
import { SwiftletError } from '../../model/errors.ts';
import { traceparentHeader } from '../../model/traceparent.ts';
import type { Gateway } from '../gateway.ts';
import { functionOf } from '../request/failures.ts';
import { inLane } from '../routing/lane.ts';
import { versionHeader } from '../routing/pick-version.ts';
import { HeldAnswer, type InnerAnswer, type InnerStream, type Takes } from '../http/held-answer.ts';
import type { Origin } from './origin.ts';

/** An event for a function, whose answer is waited for. */
export interface InnerRequest {
  readonly id: string;
  readonly tenant: string;
  /** The function's name, or its alias's: `f:beta`. */
  readonly name: string;
  /** A version of the function, instead of what serves. */
  readonly version?: number | undefined;
  readonly event: Buffer;
  readonly sourceIp: string;
  readonly origin: Origin;
}

type InnerGateway = Pick<Gateway, 'find' | 'handle' | 'refuse' | 'serves'>;

export class InnerRequests {
  readonly #gateway: () => InnerGateway;
  /** Each came by no connection, which node:http cannot think. */
  readonly #nowhere = new Socket();

  /** @param gateway asked for it when there is a request, since the gateway has this for its functions' calls */
  constructor(gateway: () => InnerGateway) {
    this.#gateway = gateway;
  }

  /**
   * Sends an event and holds the answer as a whole.
   * @param takes whether so many more bytes of the answer may be held
   * @param signal ends it: the function learns that nobody waits any more
   * @throws SwiftletError ResponseTooLarge when no more may be held, ClientClosedRequest when the signal ended it
   */
  async send(inner: InnerRequest, takes: Takes, signal: AbortSignal): Promise<InnerAnswer> {
    const held = this.#sent(inner, takes, false);
    using _hangUp = addAbortListener(signal, () => held.destroy());
    const answer = await held.answer;
    if ('body' in answer) return answer;
    throw new TypeError('an answer that was to be held went on as it came');
  }

  /**
   * Sends an event. What was refused, or has failed, is held as a whole; else the body is the caller's to read.
   * @throws as `send`
   */
  open(inner: InnerRequest, takes: Takes, signal: AbortSignal): Promise<InnerAnswer | InnerStream> {
    const held = this.#sent(inner, takes, true);
    // For as long as the answer goes on, of which the signal has the end as well.
    addAbortListener(signal, () => held.destroy());
    return held.answer;
  }

  #sent(inner: InnerRequest, takes: Takes, mayStream: boolean): HeldAnswer {
    const { id, tenant, name, event, sourceIp, origin } = inner;
    const request = requestOf(inner, this.#nowhere);
    const held = new HeldAnswer(request, takes, mayStream);
    const gateway = this.#gateway();
    const key = functionKey(tenant, name);
    const way = inLane({ key, name }, gateway.find(functionOf(key))?.config.lanes, origin.lane, (alias) => gateway.serves(alias));
    if (way instanceof SwiftletError) gateway.refuse(request, held, id, way);
    else gateway.handle(request, held, way.key, way.name, invokeKind.event, '/', true, sourceIp, id, origin);
    push(request, event);
    return held;
  }
}

function requestOf({ id, version, event, origin: { traceparent } }: InnerRequest, nowhere: Socket): IncomingMessage {
  const request = new IncomingMessage(nowhere);
  request.method = 'POST';
  request.url = '/';
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  // It has all come, as far as whoever reads it may ask.
  request.complete = true;
  const { headers } = request;
  headers[deliveryHeaders.eventId] = id;
  headers['content-length'] = String(event.length);
  if (version !== undefined) headers[versionHeader] = String(version);
  if (traceparent !== undefined) headers[traceparentHeader] = traceparent;
  return request;
}

/** In pieces as they come on a connection, so that an instance that takes nothing more is not sent more. */
function push(request: IncomingMessage, event: Buffer): void {
  for (let at = 0; at < event.length; at += bodyChunkBytes) request.push(event.subarray(at, at + bodyChunkBytes));
  request.push(null);
}
