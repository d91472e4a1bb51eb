// Runtime "provided": the bundle's `bootstrap` asks for events at the Runtime API, on this sandbox's own loopback.
import { Company } from './company.mjs';
import { bootstrapEnvironment } from './program-environment.mjs';
import { ProgramFailure } from './program-failure.mjs';
import { endLike, startProgram } from './program.mjs';
import { openRuntimeApi } from './runtime-api.mjs';
import { Turns } from './turns.mjs';
import { readyWithin, usualMs, within } from './within.mjs';
import { log } from '../node/logs.mjs';
import { now } from '../node/monotonic.mjs';

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
  const layers = request.layers ?? usualLayers;
  const file = fileIn(codeDir, layers);
  const company = new Company([layers, codeDir], request);
  const turns = new Turns(request.concurrency, company);
  const address = await openRuntimeApi(turns, company);
  const place = { env: bootstrapEnvironment(codeDir, request, address), cwd: codeDir };
  // Extensions and program have this time together.
  const until = now() + (request.initTimeoutMs ?? usualMs);
  await within(company.start(place), { limitMs: until - now(), what: 'an extension did not register' });
  const program = await startProgram(file, [], { ...place, hear: company.hearer('function') });
  const ready = turns.begun.then(() => company.begun(() => turns.look()));
  await readyWithin(ready, program, { limitMs: until - now(), what: 'ask for its first event' });
  void program.ended.then(async (end) => {
    await Promise.race([turns.answered(), new Promise((resolve) => setTimeout(resolve, lastAnswersMs))]);
    await company.end('FAILURE');
    endLike(end);
  });
  company.extensions.failed.catch((/** @type {Error} */ error) => {
    log('fatal', `${error.name}: ${error.message}`);
    program.kill();
  });
  const say = (/** @type {string} */ why) => {
    const said = company.end(why);
    program.kill();
    return said;
  };
  /** @type {import('../node/invocation.mjs').Form} */
  const form = { streamsRequests: false, answer: (invocation) => turns.give(invocation) };
  return company.farewellMs === 0 ? form : { ...form, farewell: { limitMs: company.farewellMs, say } };
}

/** @param {string} codeDir @param {string} layers @throws ProgramFailure */
function fileIn(codeDir, layers) {
  const places = [join(codeDir, name), join(layers, name)];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new ProgramFailure('Runtime.InvalidEntrypoint', `Couldn't find valid bootstrap(s): [${places.join(' ')}]`);
  return found;
}
