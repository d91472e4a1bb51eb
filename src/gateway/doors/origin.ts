/** What caused a request. Nothing in it can be said by a caller or a function: the gateway says it itself, or a role by a socket of theirs. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '../../model/caller.ts';
import { deliveryHeaders } from '../../wire/delivery.ts';
import type { InvokeWay } from '../../wire/instance-protocol.ts';

export interface Origin {
  /** Invocations in a row that functions caused, this one among them; 0 for a request from outside. */
  readonly hops: number;
  /** The invocation that caused it, if one did. */
  readonly caller: Caller | undefined;
  /** When nobody waits for the answer any more, in milliseconds since 1970. */
  readonly deadlineMs: number;
  /** What the caller sends along for the handler's context: JSON in Base64. */
  readonly clientContext?: string | undefined;
  /** Whether the caller may learn what the function threw; any other learns that it threw. */
  readonly tellsFailure?: boolean;
  /** Whether it keeps an instance warm, and the handler is not to be called for it. */
  readonly isWarmUp?: boolean;
  /** The lane that it is in, which what it causes is in, too; absent: the main one. */
  readonly lane?: string | undefined;
  /** How it came from outside, when it comes here by a detour. */
  readonly way?: InvokeWay | undefined;
  /** The trace that it belongs to (W3C), on what the gateway hands to itself; what came has it in its headers. */
  readonly traceparent?: string | undefined;
}

export const fromOutside: Origin = { hops: 0, caller: undefined, deadlineMs: Number.POSITIVE_INFINITY };

/** @param headers of a request that a role sent */
export function originOf(headers: IncomingHttpHeaders): Origin {
  const [name, requestId] = textOf(headers, deliveryHeaders.caller).split(' ');
  const lane = textOf(headers, deliveryHeaders.lane);
  const way = textOf(headers, deliveryHeaders.way);
  return {
    hops: Number(textOf(headers, deliveryHeaders.hops) || 0),
    caller: name === undefined || requestId === undefined ? undefined : { function: name, requestId },
    deadlineMs: Number.POSITIVE_INFINITY,
    ...(headers[deliveryHeaders.warmUp] === undefined ? {} : { isWarmUp: true }),
    ...(lane === '' ? {} : { lane }),
    ...(way === '' ? {} : { way: JSON.parse(Buffer.from(way, 'base64').toString()) as InvokeWay }),
  };
}

const textOf = (headers: IncomingHttpHeaders, name: string): string => String(headers[name] ?? '');
