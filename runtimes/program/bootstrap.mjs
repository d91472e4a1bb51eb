// Runtime "provided": the bundle's `bootstrap` asks for events at the Runtime API, on this sandbox's own loopback.
import { bootstrapEnvironment } from './program-environment.mjs';
import { ProgramFailure } from './program-failure.mjs';
import { endLike, startProgram } from './program.mjs';
import { openRuntimeApi } from './runtime-api.mjs';
import { Turns } from './turns.mjs';
import { readyWithin } from './within.mjs';

const { existsSync } = process.getBuiltinModule('node:fs');
const { join } = process.getBuiltinModule('node:path');
const name = 'bootstrap';
const usualLayers = '/opt';
/** For what was answered before the program ended. */
const lastAnswersMs = 1_000;

/**
 * @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request
 * @returns {Promise<import('../node/invocation.mjs').Form>} once it asks for its first event
 * @throws ProgramFailure, Refusal InitTimeout
 */
export async function openBootstrap(codeDir, request) {
  const file = fileIn(codeDir, request.layers ?? usualLayers);
  const turns = new Turns(request.concurrency);
  const address = await openRuntimeApi(turns);
  const program = await startProgram(file, [], { env: bootstrapEnvironment(codeDir, request, address), cwd: codeDir });
  await readyWithin(turns.begun, program, { limitMs: request.initTimeoutMs, what: 'ask for its first event' });
  void program.ended.then(async (end) => {
    await Promise.race([turns.answered(), new Promise((resolve) => setTimeout(resolve, lastAnswersMs))]);
    endLike(end);
  });
  return { streamsRequests: false, answer: (invocation) => turns.give(invocation) };
}

/** @param {string} codeDir @param {string} layers @throws ProgramFailure */
function fileIn(codeDir, layers) {
  const places = [join(codeDir, name), join(layers, name)];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new ProgramFailure('Runtime.InvalidEntrypoint', `Couldn't find valid bootstrap(s): [${places.join(' ')}]`);
  return found;
}
