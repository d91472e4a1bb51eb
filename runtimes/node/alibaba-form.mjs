// Handlers for Alibaba Cloud's Function Compute: (event, context, callback) with the event as bytes, (req, resp, context), and an initializer.
// A file of its own beside the runtime's one, loaded by functions that need it.
import { createRequest, createResponse, IncomingMessage, jsonOf, ServerResponse, untilOver } from './node-http.mjs';

const { pipeline } = process.getBuiltinModule('node:stream');
const { parse: parseQuery } = process.getBuiltinModule('node:querystring');
const { format } = process.getBuiltinModule('node:util');

/** @typedef {import('./form-tools.mjs').Invocation} Invocation @typedef {import('./form-tools.mjs').FormTools} FormTools @typedef {import('./form-tools.mjs').InitRequest} InitRequest */

const withCallback = 3;
const callbackOfInitializer = 2;
const msPerSecond = 1000;
/** What an initializer is called in the versions 2.0 and 3.0 of the platform. */
const initializers = ['initializer', 'initialize'];
const jsonHeaders = ['content-type', 'application/json'];

/** @type {import('./form-tools.mjs').Platform} */
export const alibaba = {
  prepare({ function: name, handler, memoryMiB, instanceId }) {
    const variables = {
      FC_FUNCTION_NAME: name,
      FC_FUNCTION_HANDLER: handler,
      FC_FUNCTION_MEMORY_SIZE: String(memoryMiB),
      FC_INSTANCE_ID: instanceId,
      FC_QUALIFIER: 'LATEST',
    };
    for (const [variable, value] of Object.entries(variables)) process.env[variable] ??= value;
  },

  async open(form, { handler, get }, settings, tools) {
    if (handler === undefined) return undefined;
    const initializer = initializers.map(get).find((one) => typeof one === 'function');
    if (typeof initializer === 'function') await initialize(initializer, settings, tools);
    return form === 'alibaba-fc-http' ? httpForm(handler, tools) : eventForm(handler, tools);
  },
};

/** Before the first request, in the time of the init. @param {Function} initializer (context, callback) @param {InitRequest} settings @param {FormTools} tools */
function initialize(initializer, settings, tools) {
  const context = namesOf(settings, '', tools);
  if (initializer.length < callbackOfInitializer) return Promise.resolve(initializer(context));
  return new Promise((resolve, reject) => {
    const returned = initializer(context, (/** @type {unknown} */ error) => (error ? reject(error) : resolve(undefined)));
    if (typeof returned?.then === 'function') returned.then(resolve, reject);
  });
}

/** @param {Function} handler @param {FormTools} tools @returns {import('./form-tools.mjs').Form} */
const eventForm = (handler, tools) => ({
  streamsRequests: false,
  async answer(invocation) {
    const event = invocation.isHttp ? triggerEvent(invocation, tools) : invocation.body.whole;
    respond(invocation, await call(handler, event, contextOf(invocation, tools)), tools);
  },
});

/**
 * A handler of three parameters calls back; what an async one returns counts, unless it is nothing.
 * @param {Function} handler @param {Buffer} event @param {unknown} context @returns {Promise<unknown>}
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

/** Text and bytes are the answer as they are; what else is called back is JSON of it. @param {Invocation} invocation @param {unknown} value @param {FormTools} tools */
function respond({ isHttp, reply }, value, { toResponse, jsonBody }) {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value instanceof Uint8Array ? Buffer.from(value) : undefined;
  if (!isHttp) {
    reply.answer(200, jsonHeaders, bytes === undefined ? jsonBody(value) : jsonOf(bytes));
    return;
  }
  const said = bytes === undefined ? value : responseIn(bytes);
  if (said === undefined && bytes !== undefined) reply.answer(200, ['content-type', 'text/plain; charset=utf-8'], bytes);
  else {
    const { status, headers, body } = toResponse(said);
    reply.answer(status, headers, body);
  }
}

/** A text may be a response as JSON. @param {Buffer} bytes */
function responseIn(bytes) {
  try {
    const value = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && 'statusCode' in value ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A request as the HTTP trigger of version 3.0 makes an event of it. @param {Invocation} invocation @param {FormTools} tools */
function triggerEvent({ head, body, settings }, { toEvent }) {
  const event = /** @type {Record<string, any>} */ (toEvent(head, body.whole, settings.function));
  const { accountId, domainName, domainPrefix, http, requestId, timeEpoch } = event['requestContext'];
  const told = {
    version: 'v1',
    rawPath: event['rawPath'],
    body: event['body'] ?? '',
    isBase64Encoded: event['body'] !== undefined && event['isBase64Encoded'],
    headers: event['headers'],
    queryParameters: event['queryStringParameters'] ?? {},
    requestContext: {
      accountId,
      domainName,
      domainPrefix,
      requestId,
      time: new Date(timeEpoch).toISOString(),
      timeEpoch: String(timeEpoch),
      http,
    },
  };
  return Buffer.from(JSON.stringify(told));
}

class AlibabaRequest extends IncomingMessage {
  get path() {
    return (this.url ?? '/').split('?', 1)[0] ?? '/';
  }

  get queries() {
    return { ...parseQuery((this.url ?? '').split('?').slice(1).join('?')) };
  }

  get clientIP() {
    return this.socket.remoteAddress;
  }
}

class AlibabaResponse extends ServerResponse {
  /** @param {number} code */
  setStatusCode(code) {
    this.statusCode = code;
  }

  /** @param {string} name */
  deleteHeader(name) {
    this.removeHeader(name);
  }

  /** @param {unknown} [body] text, bytes, or a stream of them */
  send(body) {
    if (isStream(body)) pipeline(body, this, (error) => error && this.destroy(error));
    else if (body === undefined || body === null) this.end();
    else this.end(typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body));
  }
}

/** @param {any} value @returns {value is import('node:stream').Readable} */
const isStream = (value) => typeof value?.pipe === 'function';

/** @param {Function} handler (req, resp, context) @param {FormTools} tools @returns {import('./form-tools.mjs').Form} */
const httpForm = (handler, tools) => ({
  streamsRequests: false,
  answer(invocation) {
    const request = createRequest(AlibabaRequest, invocation, false);
    const { response, over } = createResponse(AlibabaResponse, request, invocation, tools);
    return untilOver(() => handler(request, response, contextOf(invocation, tools)), over);
  },
});

/** @param {Invocation} invocation @param {FormTools} tools */
const contextOf = (invocation, tools) =>
  Object.assign(
    tools.createContext(invocation, () => undefined),
    namesOf(invocation.settings, invocation.requestId, tools),
  );

/** What handlers look for in a context. @param {InitRequest} settings @param {string} requestId @param {FormTools} tools */
function namesOf(settings, requestId, { log }) {
  const { env } = process;
  const say =
    (/** @type {import('./output.mjs').Level} */ level) =>
    (/** @type {unknown[]} */ ...parts) =>
      log(level, format(...parts), requestId);
  return {
    requestId,
    credentials: {
      accessKeyId: env['ALIBABA_CLOUD_ACCESS_KEY_ID'] ?? '',
      accessKeySecret: env['ALIBABA_CLOUD_ACCESS_KEY_SECRET'] ?? '',
      securityToken: env['ALIBABA_CLOUD_SECURITY_TOKEN'] ?? '',
    },
    function: {
      name: settings.function,
      handler: settings.handler,
      memory: settings.memoryMiB,
      timeout: settings.timeoutMs / msPerSecond,
    },
    service: { name: 'default', logProject: '', logStore: '', qualifier: 'LATEST', versionId: String(settings.version) },
    region: env['FC_REGION'] ?? '',
    accountId: env['FC_ACCOUNT_ID'] ?? '',
    logger: {
      debug: say('debug'),
      log: say('info'),
      info: say('info'),
      warn: say('warn'),
      error: say('error'),
      setLogLevel: () => undefined,
    },
  };
}
