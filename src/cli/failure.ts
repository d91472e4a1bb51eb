import type { CommanderError } from 'commander';
import { type ErrorCode, SwiftletError, toProblem } from '../model/errors.ts';
import { errorColours } from './colours.ts';
import { exitCodeOf } from './exit-codes.ts';
import { printable } from './printable.ts';

/** An error that the platform told, with the request it told it of. */
export class RemoteError extends SwiftletError {
  readonly requestId: string;

  constructor(code: ErrorCode, message: string, requestId: string, place?: string) {
    super(code, message, place === undefined ? {} : { place });
    this.requestId = requestId;
  }
}

/** What commander finds wrong is wrong input. */
export function usageError({ code, message }: Pick<CommanderError, 'code' | 'message'>): SwiftletError {
  if (code === 'commander.help') return new SwiftletError('BadRequest', 'no command was given; "swiftlet --help" lists them');
  const [what = '', hint] = message.replace(/^error: /, '').split('\n(Did you mean ');
  const meant = hint
    ?.replace(/^one of |\?\)$/g, '')
    .split(', ')
    .map((word) => `"${word}"`);
  return new SwiftletError('BadRequest', meant === undefined ? what : `${what}; did you mean ${meant.join(' or ')}?`);
}

/** Says what went wrong, for people or as problem details, and ends with the code that scripts know. */
export function fail(error: unknown, json: boolean): never {
  const known = error instanceof SwiftletError ? error : new SwiftletError('Internal', messageOf(error), { cause: error });
  const requestId = known instanceof RemoteError ? known.requestId : '';
  if (json) process.stderr.write(`${JSON.stringify(toProblem(known, requestId))}\n`);
  else {
    const aside = known === error ? ` (${known.code}${requestId === '' ? '' : `, request ${requestId}`})` : '';
    process.stderr.write(`${errorColours.red('error')} ${printable(known.message)}${errorColours.dim(aside)}\n`);
    if (process.env['SWIFTLET_DEBUG'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
  }
  process.exit(exitCodeOf(known.code));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
