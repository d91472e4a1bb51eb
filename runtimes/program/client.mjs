// A program that asks for events at the Runtime API, on this sandbox's own loopback: how it is started, and what becomes of it.
import { Company } from './company.mjs';
import { bootstrapEnvironment } from './program-environment.mjs';
import { endLike, startProgram } from './program.mjs';
import { openRuntimeApi } from './runtime-api.mjs';
import { Turns } from './turns.mjs';
import { readyWithin, usualMs, within } from './within.mjs';
import { log } from '../node/logs.mjs';
import { now } from '../node/monotonic.mjs';

const usualLayers = '/opt';
/** For what was answered before the program ended. */
const lastAnswersMs = 1_000;

/**
 * @typedef {object} Client
 * @property {string} file
 * @property {readonly string[]} words
 * @property {NodeJS.ProcessEnv} [environment] more than all such programs have
 * @property {boolean} [isOurs] its first connection is the end of the runtime's part in the start
 *
 * @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request @param {Client} client
 * @returns {Promise<import('../node/invocation.mjs').Form>} once it asks for its first event
 * @throws ProgramFailure, Refusal InitTimeout
 */
export async function openClient(codeDir, request, { file, words, environment = {}, isOurs = false }) {
  const company = new Company([request.layers ?? usualLayers, codeDir], request);
  const turns = new Turns(request.concurrency, company);
  let startedAt = now();
  let bootMs = 0;
  const address = await openRuntimeApi(turns, company, () => {
    bootMs = isOurs ? now() - startedAt : 0;
  });
  const place = { env: { ...bootstrapEnvironment(codeDir, request, address), ...environment }, cwd: codeDir };
  // Extensions and program have this time together.
  const until = now() + (request.initTimeoutMs ?? usualMs);
  await within(company.start(place), { limitMs: until - now(), what: 'an extension did not register' });
  startedAt = now();
  const program = await startProgram(file, words, { ...place, hear: company.hearer('function') });
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
  const form = { bootMs, streamsRequests: false, answer: (invocation) => turns.give(invocation) };
  return company.farewellMs === 0 ? form : { ...form, farewell: { limitMs: company.farewellMs, say } };
}
