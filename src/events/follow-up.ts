/** The event that follows from another one's end: what its function's destination is to get. Pure: time and id are given. */
import type { Destination, Destinations } from '../model/destination.ts';
import { maxHops } from '../model/limits.ts';
import type { CallerRequest } from '../wire/event-calls.ts';
import type { DeadEnd, Failure, LeasedEvent, NewEvent, Settlement, Success } from './event-log.ts';

/** Where it goes how an event ended; undefined while it has not, and when nobody wants to know. */
export function destinationOf(
  { success, failure }: Destinations,
  { way }: Pick<LeasedEvent, 'way'>,
  { kind }: Settlement,
): Destination | undefined {
  // What goes to a webhook or a queue is itself the news of an end.
  if (way === 'webhook' || kind === 'waiting') return undefined;
  return kind === 'succeeded' ? success : failure;
}

export const hasEnded = (settlement: Settlement): settlement is Success | Failure => settlement.kind !== 'waiting';

/**
 * The event for a destination.
 * @param record what it is told
 * @param lane the one that the cause was in; a function gets it in the same
 */
export function followUp(
  cause: Pick<LeasedEvent, 'tenant' | 'function' | 'hops'>,
  destination: Destination,
  record: string,
  id: string,
  nowMs: number,
  lane?: string,
): NewEvent {
  const made = { id, tenant: cause.tenant, acceptedMs: nowMs, body: Buffer.from(record) };
  switch (destination.kind) {
    case 'webhook': {
      const { kind, url, secretVariable } = destination;
      return { ...made, function: cause.function, request: { kind, url, secretVariable } };
    }
    case 'queue':
      return { ...made, function: cause.function, request: { kind: 'queue', to: destination.to } };
    case 'function': {
      const hops = cause.hops + 1;
      const end = endOfChain(destination.function, hops, nowMs);
      const request = lane === undefined ? recordRequest : { ...recordRequest, lane };
      return { ...made, function: destination.function, request, hops, ...end };
    }
  }
}

const recordRequest: CallerRequest = { kind: 'event', method: 'POST', target: '/', sourceIp: '', headers: [] };

/** The end of an event that is one too many in a row of those that functions caused. @param name the function that it is for */
export const endOfChain = (name: string, hops: number, nowMs: number): Pick<NewEvent, 'end'> =>
  hops > maxHops ? { end: stopped(name, nowMs) } : {};

/** The count lies with the event in the log: nothing that a function says or sends can change it. */
const stopped = (name: string, atMs: number): DeadEnd => ({
  kind: 'dead-lettered',
  attempts: 0,
  atMs,
  reason: 'recursion',
  error: {
    code: 'RecursionStopped',
    message: `more than ${maxHops} invocations in a row were caused by functions, this one of "${name}" the last; look for functions that call each other, or are each other’s destinations`,
  },
});
