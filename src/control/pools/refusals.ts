/** What is said of custom pools that are not as they would have to be. */
import { SwiftletError } from '../../model/errors.ts';

const shownFunctions = 10;
const named = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/** @param who what names it */
export const poolMissing = (who: string, name: string): SwiftletError =>
  new SwiftletError('PoolMissing', `${who} names the pool "${name}", which there is not; make it first: swiftlet pool create ${name}`, {
    place: 'config.pool',
  });

/** @param place in what was sent */
export const poolUnfit = (message: string, place: string): SwiftletError => new SwiftletError('PoolUnfit', message, { place });

export const poolNotFound = (name: string): SwiftletError =>
  new SwiftletError('PoolNotFound', `there is no pool "${name}"; "swiftlet pool list" shows those there are`);

export const poolExists = (name: string): SwiftletError =>
  new SwiftletError('PoolExists', `there is a pool "${name}" with other settings; make one of another name, or delete this one first`);

export function poolInUse(name: string, functions: readonly string[]): SwiftletError {
  const others = functions.length - shownFunctions;
  const shown = others > 0 ? `${named(functions.slice(0, shownFunctions))} and ${others} more` : named(functions);
  const who = functions.length === 1 ? 'the function' : 'the functions';
  return new SwiftletError('PoolInUse', `the pool "${name}" is used by ${who} ${shown}; deploy without it, or remove what names it, first`);
}
