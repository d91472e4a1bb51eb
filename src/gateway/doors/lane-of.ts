/** In which lane a request comes from outside, by what its function looks at. */
import type { IncomingHttpHeaders } from 'node:http';
import type { SwiftletError } from '../../model/errors.ts';
import type { Gateway } from '../gateway.ts';
import { functionOf } from '../request/failures.ts';
import { canBeLane, inLane, saidLane } from '../routing/lane.ts';
import { fromOutside, type Origin } from './origin.ts';

/** A way into the gateway. */
interface Came {
  readonly key: string;
  readonly name: string;
}

/** The lane that it is in, wherever that has led it; absent: the main one. */
interface InLane {
  readonly lane?: string;
}

/**
 * Where a request goes that may be in a lane.
 * @param isAsync what nobody waits for is led when it is delivered; here it is refused if it would be now
 * @returns why it goes nowhere
 */
export function laneOf<Way extends Came>(
  gateway: Pick<Gateway, 'find' | 'serves'>,
  way: Way,
  headers: IncomingHttpHeaders,
  isAsync: boolean,
): (Way & InLane) | SwiftletError {
  const lanes = gateway.find(functionOf(way.key))?.config.lanes;
  const lane = lanes === undefined ? undefined : saidLane(lanes, headers);
  if (lane === undefined) return way;
  const led = inLane(way, lanes, lane, (key) => gateway.serves(key));
  if (!('key' in led)) return led;
  const goes = isAsync ? way : led;
  return canBeLane(lane) ? { ...goes, lane } : goes;
}

/** What is known of where a request comes from, when it comes from outside. */
export const originIn = (lane: string | undefined): Origin => (lane === undefined ? fromOutside : { ...fromOutside, lane });
