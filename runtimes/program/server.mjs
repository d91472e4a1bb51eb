// Runtime "http": the handler is a command, and what it starts listens on $PORT.
import { openProxy } from './proxy.mjs';
import { portFor, untilListening } from './port.mjs';
import { serverEnvironment } from './program-environment.mjs';
import { endLike, startProgram } from './program.mjs';
import { readyWithin, usualMs } from './within.mjs';

const shell = '/bin/sh';
/** How long a server has from SIGTERM on; it is ended then. */
const longestFarewellMs = 3_000;

/**
 * @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request
 * @returns {Promise<import('../node/invocation.mjs').Form>} once the port answers
 * @throws ProgramFailure, Refusal InitTimeout
 */
export async function openServer(codeDir, request) {
  const port = await portFor();
  const env = serverEnvironment(codeDir, request, port);
  const program = await startProgram(shell, ['-c', request.handler], { env, cwd: codeDir, isGroup: true });
  const look = untilListening(port);
  try {
    await readyWithin(look.listening, program, { limitMs: request.initTimeoutMs ?? usualMs, what: `answer on port ${port} ($PORT)` });
  } finally {
    look.stop();
  }
  let isEnding = false;
  void program.ended.then((end) => {
    if (!isEnding) endLike(end);
  });
  const say = async () => {
    isEnding = true;
    program.terminate();
    await program.left;
  };
  return { ...openProxy(port, program), farewell: { limitMs: longestFarewellMs, say } };
}
