/** Which lane a request is in. Pure. Budget: nothing for functions without lanes, one look into a map for others. */
import type { IncomingHttpHeaders } from 'node:http';
import { SwiftletError } from '../../model/errors.ts';
import type { LanesConfig } from '../../model/lanes.ts';
import { aliasMark, liveAlias } from '../../model/traffic.ts';
import type { FunctionRoute } from './route.ts';
import { stickyValue } from './sticky-value.ts';

/**
 * The way of a request that may be in a lane.
 * @param has whether there is an alias by this key
 * @returns why it goes nowhere when the function does not have its lane, and refuses what it does not have
 */
export function inLane(
  way: FunctionRoute,
  { by, missing }: LanesConfig,
  headers: IncomingHttpHeaders,
  has: (key: string) => boolean,
): FunctionRoute | SwiftletError {
  const lane = stickyValue(by, headers);
  // Whoever names an alias means it.
  if (lane === undefined || lane === '' || lane === liveAlias || way.name.includes(aliasMark)) return way;
  const key = `${way.key}${aliasMark}${lane}`;
  if (has(key)) return { ...way, key, name: `${way.name}${aliasMark}${lane}` };
  if (missing === 'main') return way;
  return new SwiftletError(
    'AliasNotFound',
    `function "${way.name}" has no version in this request's lane; "swiftlet alias set ${way.name} <lane> <version>" gives it one, and "missing: main" in "lanes" lets such requests go on`,
  );
}
