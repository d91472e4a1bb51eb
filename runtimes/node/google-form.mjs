// Handlers for Google Cloud Functions: http(req, res), and CloudEvent functions; exported, or registered with its functions framework.
// A file of its own beside the runtime's one, loaded by functions that need it.
import { BadBody, GoogleRequest, GoogleResponse, readBody } from './google-request.mjs';
import { frameworkFile, provideFramework } from './provide-framework.mjs';
import { bytesOf, createRequest, createResponse, jsonOf, untilOver } from './node-http.mjs';

const { createRequire } = process.getBuiltinModule('node:module');

const structuredType = 'application/cloudevents+json';
const badRequest = 400;
const noContent = 204;
const noHeaders = /** @type {const} */ ([]);
const noBytes = Buffer.alloc(0);

/**
 * @typedef {import('./form-tools.mjs').Invocation} Invocation @typedef {import('./form-tools.mjs').FormTools} FormTools
 * @typedef {{ form: import('./detect-form.mjs').FormName, handler: Function }} Registered
 */

/** @type {import('./form-tools.mjs').Platform} */
export const google = {
  prepare({ function: name, version, handler, form }) {
    provideFramework();
    const target = handler.split('/').at(-1)?.split('.')[1];
    setMissing({
      K_SERVICE: name,
      K_REVISION: `${name}-${String(version).padStart(5, '0')}`,
      FUNCTION_TARGET: target ?? name,
      FUNCTION_SIGNATURE_TYPE: form === 'google-cloud-event' ? 'cloudevent' : 'http',
    });
  },

  open(form, exported, _settings, tools) {
    const found = registeredFor(exported, tools) ?? (exported.handler === undefined ? undefined : { form, handler: exported.handler });
    if (found === undefined) return undefined;
    return found.form === 'google-cloud-event' ? eventForm(found.handler, tools) : httpForm(found.handler, tools);
  },
};

/** @param {Record<string, string>} variables those that are there win */
function setMissing(variables) {
  for (const [name, value] of Object.entries(variables)) process.env[name] ??= value;
}

/** @param {import('./form-tools.mjs').Exported} exported @param {FormTools} tools @returns {Registered | undefined} @throws Refusal */
function registeredFor({ name, handler }, { Refusal }) {
  /** @type {ReadonlyMap<string, Registered>} */
  const registered = createRequire(import.meta.filename)(frameworkFile)[Symbol.for('swiftlet.registered')];
  const found = name === undefined ? undefined : registered.get(name);
  if (found !== undefined || registered.size === 0 || handler !== undefined) return found;
  const names = [...registered.keys()];
  if (name !== undefined) throw new Refusal('HandlerNotFound', `no function is registered as "${name}", but ${names.join(', ')}`);
  if (registered.size < 2) return [...registered.values()][0];
  throw new Refusal('HandlerNotFound', `several functions are registered: ${names.join(', ')}; say which, as "handler: index.${names[0]}"`);
}

/** @param {Function} handler (req, res) @param {FormTools} tools @returns {import('./form-tools.mjs').Form} */
const httpForm = (handler, tools) => ({
  streamsRequests: false,
  answer(invocation) {
    const request = createRequest(GoogleRequest, invocation, true);
    const { response, over } = createResponse(GoogleResponse, request, invocation, tools);
    try {
      readBody(request, bytesOf(invocation));
    } catch (error) {
      if (!(error instanceof BadBody)) throw error;
      response.status(badRequest).type('txt').send(error.message);
      return over;
    }
    return untilOver(() => handler(request, response), over);
  },
});

/** @param {Function} handler (cloudEvent), or (cloudEvent, callback) @param {FormTools} tools @returns {import('./form-tools.mjs').Form} */
const eventForm = (handler, tools) => ({
  streamsRequests: false,
  async answer(invocation) {
    const event = cloudEventOf(invocation);
    if (typeof event === 'string') invocation.reply.answer(badRequest, ['content-type', 'text/plain'], Buffer.from(event));
    else answer(invocation, await call(handler, event), tools);
  },
});

/** @param {Function} handler @param {object} event @returns {unknown} */
function call(handler, event) {
  if (handler.length < 2) return handler(event);
  return new Promise((resolve, reject) => {
    handler(event, (/** @type {unknown} */ error, /** @type {unknown} */ value) => (error ? reject(error) : resolve(value)));
  });
}

/** @param {Invocation} invocation @param {unknown} value what the handler returned @param {FormTools} tools */
function answer({ isHttp, reply }, value, { jsonBody }) {
  if (value === undefined || value === null) {
    if (isHttp) reply.answer(noContent, noHeaders, noBytes);
    else reply.answer(200, ['content-type', 'application/json'], jsonBody(null));
  } else if (isHttp && typeof value === 'string') reply.answer(200, ['content-type', 'text/plain; charset=utf-8'], Buffer.from(value));
  else reply.answer(200, ['content-type', 'application/json'], typeof value === 'string' ? jsonOf(Buffer.from(value)) : jsonBody(value));
}

/**
 * The CloudEvent that came, in the JSON format: over HTTP in the binary or the structured mode; an event that is none becomes the data of one.
 * @param {Invocation} invocation @returns {Record<string, unknown> | string} or why there is none
 */
function cloudEventOf(invocation) {
  const bytes = bytesOf(invocation);
  if (!invocation.isHttp) return eventOf(invocation, JSON.parse(bytes.toString()));
  const request = createRequest(GoogleRequest, invocation, true);
  try {
    readBody(request, bytes);
  } catch (error) {
    if (error instanceof BadBody) return error.message;
    throw error;
  }
  if (request.is(structuredType) !== false)
    return isEvent(request.body) ? request.body : 'the body is no CloudEvent: it has no "specversion"';
  const attributes = Object.entries(request.headers).filter(([name]) => name.startsWith('ce-'));
  if (request.get('ce-specversion') === undefined)
    return `the request is no CloudEvent: it has neither the header "ce-specversion" nor the type ${structuredType}`;
  const type = request.get('content-type');
  return {
    ...Object.fromEntries(attributes.map(([name, value]) => [name.slice('ce-'.length), value])),
    ...(type === undefined ? {} : { datacontenttype: type }),
    ...(bytes.length === 0 ? {} : { data: request.body }),
  };
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isEvent = (value) => typeof value === 'object' && value !== null && 'specversion' in value;

/** @param {Invocation} invocation @param {unknown} said @returns {Record<string, unknown>} */
function eventOf({ requestId, settings }, said) {
  if (isEvent(said)) return said;
  return {
    specversion: '1.0',
    id: requestId,
    source: `/functions/${settings.function}`,
    type: 'swiftlet.event',
    time: new Date().toISOString(),
    datacontenttype: 'application/json',
    data: said,
  };
}
