/** What went wrong in a build, for whoever deploys. Pure. */
import { SwiftletError } from '../../model/errors.ts';
import type { BuildRefusal } from '../../wire/build-calls.ts';
import type { BuildOutput } from './build-output.ts';
import { firstOf } from './failure-signs.ts';

/** What src/build/inside/install.ts says when the program that installs failed. */
const programEnded = /^(?:npm|pip) ended/;

/** @param said all of its output @param registries that a build may reach */
export function buildFailure(
  { code, message }: BuildRefusal,
  said: Pick<BuildOutput, 'tail' | 'signs'>,
  registries: readonly string[],
): SwiftletError {
  if (code !== 'BuildFailed') return new SwiftletError(code, message);
  // What the agent says has its remedy already.
  const reason = programEnded.test(message) ? firstOf(said.signs)?.what(registries) : undefined;
  const end = said.tail.length === 0 ? '' : `\nThe end of its output:\n${said.tail.map((line) => `  ${line}`).join('\n')}`;
  return new SwiftletError(code, `the dependencies could not be installed: ${message}${reason === undefined ? '' : `: ${reason}`}${end}`);
}
