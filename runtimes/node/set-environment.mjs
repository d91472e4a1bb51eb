import { placeSecrets } from './secrets.mjs';

/** Nobody has said which: clients of AWS's services want one, and a function's own variables win. */
const usualRegion = 'us-east-1';

/**
 * Sets what the function's code finds in its environment: the names that code from AWS Lambda knows, then the function's own
 * variables, which win.
 * @param {import('./instance.mjs').InitRequest} request
 */
export function setEnvironment({ function: name, version, memoryMiB, instanceId, environment, handler, secrets }) {
  Object.assign(process.env, {
    NODE_ENV: 'production',
    AWS_EXECUTION_ENV: `Swiftlet_nodejs${process.versions.node.split('.', 1)[0]}`,
    AWS_REGION: usualRegion,
    AWS_DEFAULT_REGION: usualRegion,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: String(version),
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memoryMiB),
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupOf(name),
    AWS_LAMBDA_LOG_STREAM_NAME: instanceId,
    _HANDLER: handler,
    ...environment,
    ...(secrets === undefined ? undefined : placeSecrets(secrets)),
  });
}

/** @param {string} name the function's */
export const logGroupOf = (name) => `/swiftlet/${name}`;

/** Where the code's relative paths begin. @param {string} codeDir */
export function enterCode(codeDir) {
  process.env['LAMBDA_TASK_ROOT'] ??= codeDir;
  process.chdir(codeDir);
}
