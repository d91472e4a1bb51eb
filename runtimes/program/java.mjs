// Runtime "java": a JVM of its own for each instance, with our runtime in it, which asks for events at the Runtime API.
import { Refusal } from '../node/failure.mjs';
import { openClient } from './client.mjs';
import { findJava, instanceCommand } from './java-command.mjs';

const handlerMissing = 'HandlerNotFound';

/**
 * @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request
 * @returns {Promise<import('../node/invocation.mjs').Form>} once its handler is loaded
 * @throws ProgramFailure, Refusal InitTimeout, HandlerNotFound
 */
export async function openJava(codeDir, request) {
  const { java, major } = findJava();
  const { words, environment } = instanceCommand(codeDir, request);
  const named = request.environment['AWS_EXECUTION_ENV'] === undefined ? { AWS_EXECUTION_ENV: `Swiftlet_java${major}` } : {};
  const client = { file: java, words, environment: { ...named, ...environment }, isOurs: true };
  return openClient(codeDir, request, client).catch((/** @type {unknown} */ error) => {
    throw error instanceof Error && error.name === handlerMissing ? new Refusal(handlerMissing, error.message) : error;
  });
}
