/** Whether a function may make a call: what is known before anything is done for it. */
import { SwiftletError } from '../../model/errors.ts';
import { maxCallBytes, maxCallsAtOnce, maxEventBytes, maxHops } from '../../model/limits.ts';
import type { FunctionCall } from './call-frames.ts';

/** Who calls. */
export interface Calling {
  readonly function: string;
  /** The functions that it is granted. */
  readonly grants: readonly string[];
  /** Invocations in a row that functions caused, this one among them. */
  readonly hops: number;
  /** Calls of the same invocation that have no answer yet. */
  readonly open: number;
}

/** @returns why a call is refused, or undefined when it may be made. What nobody waits for is stopped by the event log, which keeps it */
export function callRefusal(call: FunctionCall, calling: Calling): SwiftletError | undefined {
  const { function: name, event, isAsync } = call;
  const limit = isAsync ? maxEventBytes : maxCallBytes;
  if (!calling.grants.includes(name)) return forbidden(calling.function, name);
  if (event.length > limit)
    return new SwiftletError('RequestTooLarge', `the event for "${name}" is over the limit of ${limit} bytes; hand over a reference`);
  if (calling.open >= maxCallsAtOnce)
    return new SwiftletError('TooManyRequests', `an invocation has at most ${maxCallsAtOnce} calls open; wait for some of them first`);
  if (!isAsync && calling.hops >= maxHops)
    return new SwiftletError(
      'RecursionStopped',
      `more than ${maxHops} invocations in a row were caused by functions, this one of "${name}" the last; look for functions that call each other`,
    );
  return undefined;
}

/** Nothing is said of whether there is such a function. */
const forbidden = (caller: string, name: string): SwiftletError =>
  new SwiftletError(
    'CallForbidden',
    `function "${caller}" may not call ${JSON.stringify(name)}; name it in "calls" of "${caller}" in swiftlet.yaml`,
  );

export const tooMuchAtOnce = (name: string): SwiftletError =>
  new SwiftletError('TooManyRequests', `the calls of function "${name}" hold too many bytes at once; make fewer, or smaller ones`);
