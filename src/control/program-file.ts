import { SwiftletError } from '../model/errors.ts';
import type { FunctionConfig } from '../model/function.ts';

const bootstrap = 'bootstrap';
const shownFiles = 8;

/**
 * Makes sure that what a program's runtime starts is in the bundle, as far as that can be told without starting it.
 * @throws SwiftletError HandlerNotFound with what there is instead
 */
export function checkProgram({ runtime, handler }: Pick<FunctionConfig, 'runtime' | 'handler'>, files: readonly string[]): void {
  const wanted = runtime === 'provided' ? bootstrap : fileIn(handler);
  if (wanted === undefined || files.includes(wanted)) return;
  const there = files.length === 0 ? 'nothing' : files.slice(0, shownFiles).join(', ');
  const remedy =
    runtime === 'provided'
      ? 'put the program there that asks for events at the Runtime API, or set "runtime"'
      : 'set "handler" to the command that starts the server';
  throw new SwiftletError(
    'HandlerNotFound',
    `the runtime ${runtime} needs a file "${wanted}" at the top of the bundle, which has ${there}; ${remedy}`,
    { place: 'config.handler' },
  );
}

/** The bundle's file that a command starts, if it says so by its path. */
function fileIn(command: string): string | undefined {
  const [program = ''] = command.trim().split(/\s+/);
  return program.startsWith('./') ? program.slice(2) : undefined;
}
