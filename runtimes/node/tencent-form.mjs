// Handlers for Tencent SCF: main_handler(event, context, callback). A file of its own beside the runtime's one, loaded by functions that need it.

/** @typedef {import('./form-tools.mjs').Invocation} Invocation @typedef {import('./form-tools.mjs').FormTools} FormTools */

const withCallback = 3;
const jsonHeaders = ['content-type', 'application/json'];

/** @type {import('./form-tools.mjs').Platform} */
export const tencent = {
  prepare({ function: name, version }) {
    const variables = {
      SCF_FUNCTIONNAME: name,
      SCF_FUNCTIONVERSION: String(version),
      SCF_NAMESPACE: 'default',
      TENCENTCLOUD_RUNENV: 'SCF',
    };
    for (const [variable, value] of Object.entries(variables)) process.env[variable] ??= value;
  },

  open(_form, { handler }, _settings, tools) {
    return handler === undefined ? undefined : { streamsRequests: false, answer: (invocation) => answer(handler, invocation, tools) };
  },
};

/** @param {Function} handler @param {Invocation} invocation @param {FormTools} tools */
async function answer(handler, invocation, tools) {
  const event = invocation.isHttp ? gatewayEvent(invocation, tools) : tools.eventOf(invocation);
  respond(invocation, await call(handler, event, contextOf(invocation, tools)), tools);
}

/**
 * A handler of three parameters may call back; what an async one returns counts, unless it is nothing.
 * @param {Function} handler @param {unknown} event @param {unknown} context @returns {Promise<unknown>}
 */
function call(handler, event, context) {
  if (handler.length < withCallback) return Promise.resolve(handler(event, context));
  return new Promise((resolve, reject) => {
    const callback = (/** @type {unknown} */ error, /** @type {unknown} */ value) => (error ? reject(error) : resolve(value));
    const returned = handler(event, context, callback);
    if (typeof returned?.then === 'function')
      returned.then((/** @type {unknown} */ value) => value !== undefined && resolve(value), reject);
  });
}

/** @param {Invocation} invocation @param {unknown} value @param {FormTools} tools */
function respond({ isHttp, reply }, value, { toResponse, jsonBody }) {
  if (!isHttp) {
    reply.answer(200, jsonHeaders, jsonBody(value));
    return;
  }
  const { status, headers, body } = toResponse(value);
  reply.answer(status, headers, body);
}

/** @param {Invocation} invocation @param {FormTools} tools */
function contextOf(invocation, { createContext }) {
  const { settings, requestId } = invocation;
  const context = createContext(invocation, () => undefined);
  return Object.assign(context, {
    request_id: requestId,
    function_name: settings.function,
    function_version: String(settings.version),
    memory_limit_in_mb: settings.memoryMiB,
    time_limit_in_ms: settings.timeoutMs,
    namespace: 'default',
    environment: JSON.stringify(settings.environment),
    environ: Object.entries(settings.environment)
      .map(([name, value]) => `${name}=${value}`)
      .join(';'),
    tencentcloud_region: process.env['TENCENTCLOUD_REGION'] ?? '',
    tencentcloud_appid: process.env['TENCENTCLOUD_APPID'] ?? '',
    tencentcloud_uin: process.env['TENCENTCLOUD_UIN'] ?? '',
  });
}

/** A request as SCF's gateway trigger and function URL make an event of it. @param {Invocation} invocation @param {FormTools} tools */
function gatewayEvent({ head, body, settings, requestId }, { toEvent }) {
  const event = /** @type {Record<string, any>} */ (toEvent(head, body.whole, settings.function));
  const { http } = event['requestContext'];
  const query = event['queryStringParameters'] ?? {};
  const headers = event['headers'];
  return {
    requestContext: {
      serviceId: settings.function,
      path: event['rawPath'],
      httpMethod: http.method,
      requestId,
      identity: {},
      sourceIp: http.sourceIp,
      stage: 'release',
    },
    headers,
    body: event['body'] ?? '',
    isBase64Encoded: event['body'] !== undefined && event['isBase64Encoded'],
    pathParameters: event['pathParameters'] ?? {},
    queryStringParameters: query,
    headerParameters: {},
    stageVariables: { stage: 'release' },
    path: event['rawPath'],
    queryString: query,
    httpMethod: http.method,
  };
}
