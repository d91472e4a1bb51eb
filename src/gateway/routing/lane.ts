/**
 * Which lane a request is in, and where that leads. Pure. Budget: nothing for functions without lanes and requests in none, one look into a
 * map for others.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import type { LanesConfig } from '../../model/lanes.ts';
import { maxNameLength, namePattern } from '../../model/names.ts';
import { aliasMark, liveAlias } from '../../model/traffic.ts';
import { stickyValue } from './sticky-value.ts';

/** A way to a function, or to an alias of it. */
interface Named {
  readonly key: string;
  readonly name: string;
}

/** What a request says of its lane; undefined for the main one. What comes may be any text. */
export function saidLane({ by }: LanesConfig, headers: IncomingHttpHeaders): string | undefined {
  const lane = stickyValue(by, headers);
  return lane === '' || lane === liveAlias ? undefined : lane;
}

/** Whether there can be a lane of this name, so that what the request causes is in it, too. */
export const canBeLane = (lane: string): boolean => lane.length <= maxNameLength && namePattern.test(lane);

/**
 * The way of a request in a lane.
 * @param lanes of the function; without them it is in the main lane, whatever calls it
 * @param has whether there is an alias by this key
 * @returns why it goes nowhere when the function does not have its lane, and refuses what it does not have
 */
export function inLane<Way extends Named>(
  way: Way,
  lanes: LanesConfig | undefined,
  lane: string | undefined,
  has: (key: string) => boolean,
): Way | SwiftletError {
  // Whoever names an alias means it.
  if (lanes === undefined || lane === undefined || way.name.includes(aliasMark)) return way;
  const key = `${way.key}${aliasMark}${lane}`;
  if (has(key)) return { ...way, key, name: `${way.name}${aliasMark}${lane}` };
  if (lanes.missing === 'main') return way;
  return new SwiftletError(
    'AliasNotFound',
    `function "${way.name}" has no version in this request's lane; "swiftlet alias set ${way.name} <lane> <version>" gives it one, and "missing: main" in "lanes" lets such requests go on`,
  );
}
