// What a program finds in its environment.
import { env } from '../node/intrinsics.mjs';

/** Where they would be. */
const usualLayers = '/opt';

/**
 * The function's own variables, with those that AWS Lambda sets for a custom runtime.
 * @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request @param {string} runtimeApi host and port
 * @returns {NodeJS.ProcessEnv}
 */
export function bootstrapEnvironment(codeDir, request, runtimeApi) {
  const { concurrency } = request;
  return {
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    ...common(codeDir, request),
    ...libraries(codeDir, request),
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
    ...(concurrency > 1 ? { AWS_LAMBDA_MAX_CONCURRENCY: String(concurrency) } : {}),
  };
}

/**
 * The function's own variables, with those that Knative sets.
 * @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request @param {number} port
 * @returns {NodeJS.ProcessEnv}
 */
export function serverEnvironment(codeDir, request, port) {
  const { function: name, version } = request;
  return {
    K_SERVICE: name,
    K_CONFIGURATION: name,
    K_REVISION: `${name}-${String(version).padStart(5, '0')}`,
    ...common(codeDir, request),
    PORT: String(port),
  };
}

/** @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request @returns {NodeJS.ProcessEnv} */
const libraries = (codeDir, { environment, layers = usualLayers }) => ({
  LD_LIBRARY_PATH: environment['LD_LIBRARY_PATH'] ?? `${codeDir}:${codeDir}/lib:${layers}/lib`,
});

/** @param {string} codeDir @param {string} [layers] */
const pythonPath = (codeDir, layers) => `${codeDir}/site-packages${layers === undefined ? '' : `:${layers}/python`}`;

/** @param {string} [layers] */
const nodePath = (layers) => (layers === undefined ? undefined : { NODE_PATH: `${layers}/nodejs/node_modules` });

/** @param {string} codeDir @param {import('../node/instance.mjs').InitRequest} request @returns {NodeJS.ProcessEnv} */
function common(codeDir, { environment, layers }) {
  /** @type {NodeJS.ProcessEnv} */
  const all = { PYTHONPATH: pythonPath(codeDir, layers), ...nodePath(layers), ...env, PATH: `${env['PATH']}:${layers ?? usualLayers}/bin` };
  // What runs is no runtime of Lambda's.
  if (environment['AWS_EXECUTION_ENV'] === undefined) delete all['AWS_EXECUTION_ENV'];
  return { ...all, ...(environment['PATH'] === undefined ? {} : { PATH: environment['PATH'] }) };
}
