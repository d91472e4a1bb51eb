import { SwiftletError } from '../model/errors.ts';
import type { FunctionConfig } from '../model/function.ts';

const bootstrap = 'bootstrap';
const shownFiles = 8;

/**
 * Makes sure that what a program's runtime starts is in the bundle, as far as that can be told without starting it.
 * @throws SwiftletError HandlerNotFound with what there is instead
 */
export function checkProgram({ runtime, handler }: Pick<FunctionConfig, 'runtime' | 'handler'>, files: readonly string[]): void {
  if (runtime === 'java') {
    checkClass(handler, files);
    return;
  }
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

/** What is in jars is told when they are opened. */
function checkClass(handler: string, files: readonly string[]): void {
  const [name = ''] = handler.split('::');
  const wanted = `${name.replaceAll('.', '/')}.class`;
  if (files.includes(wanted) || files.some((file) => file.endsWith('.jar'))) return;
  const classes = files.filter((file) => file.endsWith('.class') && !file.includes('$')).slice(0, shownFiles);
  const there = classes.length === 0 ? 'the bundle has no class and no jar: compile it first' : `the bundle has ${classes.join(', ')}`;
  throw new SwiftletError(
    'HandlerNotFound',
    `the handler "${handler}" needs a file "${wanted}", or a jar that has it; ${there}. Set "handler" to "package.Class" or "package.Class::method"`,
    { place: 'config.handler' },
  );
}

/** The bundle's file that a command starts, if it says so by its path. */
function fileIn(command: string): string | undefined {
  const [program = ''] = command.trim().split(/\s+/);
  return program.startsWith('./') ? program.slice(2) : undefined;
}
