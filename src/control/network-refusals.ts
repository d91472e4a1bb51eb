/** What is said of private networks that are not as they would have to be. */
import { SwiftletError } from '../model/errors.ts';

const named = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/** @param who what names them */
export function networkMissing(who: string, names: readonly string[]): SwiftletError {
  const what = names.length === 1 ? `the private network ${named(names)}, which there is not` : `${named(names)}, which there are not`;
  return new SwiftletError('NetworkMissing', `${who} names ${what}; make it first: swiftlet network create ${names[0] ?? ''}`, {
    place: 'config.network.private',
  });
}

export const networkNotFound = (name: string): SwiftletError =>
  new SwiftletError('NetworkNotFound', `there is no private network "${name}"; "swiftlet network list" shows those there are`);

export const networkExists = (name: string): SwiftletError =>
  new SwiftletError(
    'NetworkExists',
    `there is a private network "${name}" with other settings; make one of another name, or remove this one first`,
  );

export function networkInUse(name: string, functions: readonly string[]): SwiftletError {
  const shown = functions.length > 10 ? `${named(functions.slice(0, 10))} and ${functions.length - 10} more` : named(functions);
  const who = functions.length === 1 ? 'the function' : 'the functions';
  return new SwiftletError(
    'NetworkInUse',
    `the private network "${name}" is named by ${who} ${shown}; deploy without it, or remove what names it, first`,
  );
}
