// Runtime "provided": the bundle's `bootstrap` asks for events at the Runtime API, on this sandbox's own loopback.
import { openClient } from './client.mjs';
import { ProgramFailure } from './program-failure.mjs';

const { existsSync } = process.getBuiltinModule('node:fs');
const { join } = process.getBuiltinModule('node:path');
const name = 'bootstrap';
const usualLayers = '/opt';

/**
 * @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request
 * @returns {Promise<import('../node/invocation.mjs').Form>} once it asks for its first event
 * @throws ProgramFailure, Refusal InitTimeout
 */
export async function openBootstrap(codeDir, request) {
  return openClient(codeDir, request, { file: fileIn(codeDir, request.layers ?? usualLayers), words: [] });
}

/** @param {string} codeDir @param {string} layers @throws ProgramFailure */
function fileIn(codeDir, layers) {
  const places = [join(codeDir, name), join(layers, name)];
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new ProgramFailure('Runtime.InvalidEntrypoint', `Couldn't find valid bootstrap(s): [${places.join(' ')}]`);
  return found;
}
