/** What a client library throws, as why a source cannot be used. */
import { SwiftletError } from '../../model/errors.ts';
import type { SourceFault } from './source.ts';

/** What it says; a failure to connect to several addresses of one name says it in its parts. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(errorText).join(', ');
  if (!(error instanceof Error)) return String(error);
  return error.message === '' ? error.name : error.message;
}

/** The code that a server or the system gave; undefined when there is none. */
export const errorCode = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error ? String(error.code) : undefined;

/**
 * @param what the server or the thing at it, with its name
 * @param remedy what can be done about it, when it is known
 */
export const sourceFault = (code: SourceFault, what: string, error: unknown, remedy = ''): SwiftletError =>
  new SwiftletError(code, `${what}: ${errorText(error)}${remedy === '' ? '' : `; ${remedy}`}`, { cause: error });
