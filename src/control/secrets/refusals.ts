/** What is said of secrets that are not as they would have to be. Names only: no value has a way into a message. */
import { SwiftletError } from '../../model/errors.ts';

const named = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

/** @param who what refers to them */
export function secretMissing(who: string, names: readonly string[]): SwiftletError {
  const what = names.length === 1 ? `the secret ${named(names)}, which is not set` : `the secrets ${named(names)}, which are not set`;
  return new SwiftletError(
    'SecretMissing',
    `${who} refers to ${what}; set ${names.length === 1 ? 'it' : 'them'} first: swiftlet secret set ${names[0] ?? ''}`,
    {
      place: 'config.secrets',
    },
  );
}

export const secretNotFound = (name: string): SwiftletError =>
  new SwiftletError('SecretNotFound', `there is no secret "${name}"; "swiftlet secret list" shows those there are`);

export const secretExists = (name: string): SwiftletError =>
  new SwiftletError(
    'SecretExists',
    `the secret "${name}" has another value already; give it a new one with "swiftlet secret rotate ${name}"`,
  );

export function secretInUse(name: string, functions: readonly string[]): SwiftletError {
  const shown = functions.length > 10 ? `${named(functions.slice(0, 10))} and ${functions.length - 10} more` : named(functions);
  return new SwiftletError(
    'SecretInUse',
    `the secret "${name}" is used by ${functions.length === 1 ? 'the function' : 'the functions'} ${shown}; deploy without it, or remove what uses it, first`,
  );
}
