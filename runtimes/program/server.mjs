// Runtime "http": the handler is a command, and what it starts listens on $PORT.
import { openProxy } from './proxy.mjs';
import { portFor, untilListening } from './port.mjs';
import { serverEnvironment } from './program-environment.mjs';
import { endLike, startProgram } from './program.mjs';
import { readyWithin, usualMs } from './within.mjs';

const shell = '/bin/sh';

/**
 * @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request
 * @returns {Promise<import('../node/invocation.mjs').Form>} once the port answers
 * @throws ProgramFailure, Refusal InitTimeout
 */
export async function openServer(codeDir, request) {
  const port = await portFor();
  const program = await startProgram(shell, ['-c', request.handler], { env: serverEnvironment(codeDir, request, port), cwd: codeDir });
  const look = untilListening(port);
  try {
    await readyWithin(look.listening, program, { limitMs: request.initTimeoutMs ?? usualMs, what: `answer on port ${port} ($PORT)` });
  } finally {
    look.stop();
  }
  void program.ended.then(endLike);
  return openProxy(port, program);
}
