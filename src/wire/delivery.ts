/**
 * How a request is handed to a gateway by the events role: as HTTP on a socket that only roles can reach, with these headers. What callers
 * and functions send under such names never gets there.
 */
import type { InvokeWay } from './instance-protocol.ts';

export const deliveryHeaders = {
  /** The event's id, which is the invocation's as well, at every attempt. */
  eventId: 'x-swiftlet-event-id',
  /** Who sent the request that became the event. */
  sourceIp: 'x-swiftlet-source-ip',
  /** Invocations in a row that functions caused, this one among them; none: 0. */
  hops: 'x-swiftlet-hops',
  /** The function whose invocation caused this one, and that one's id: `name id`. */
  caller: 'x-swiftlet-caller',
  /** It keeps an instance warm, and is the runtime's to answer, not the handler's. */
  warmUp: 'x-swiftlet-warm-up',
  /** The lane that it is in. */
  lane: 'x-swiftlet-lane',
  /** How it came from outside: an `InvokeWay` as JSON in Base64. */
  way: 'x-swiftlet-way',
  /** On an answer: the code of what went wrong, when the platform says it. */
  error: 'x-swiftlet-error',
} as const;

/** What of them says how a request goes, and came: names and values in turn. */
export const wayHeaders = (lane: string | undefined, way: InvokeWay | undefined): string[] => [
  ...(lane === undefined ? [] : [deliveryHeaders.lane, lane]),
  ...(way === undefined ? [] : [deliveryHeaders.way, Buffer.from(JSON.stringify(way)).toString('base64')]),
];
