// From a file to something that can be invoked: the user's modules are evaluated here.
import { detectForm, tencentName } from './detect-form.mjs';
import { eventForm } from './event-form.mjs';
import { Refusal } from './failure.mjs';
import { isStreamed, streamedForm } from './streamed-form.mjs';

const { createRequire } = process.getBuiltinModule('node:module');
const { basename } = process.getBuiltinModule('node:path');
const { pathToFileURL } = process.getBuiltinModule('node:url');
const { isModuleNamespaceObject } = process.getBuiltinModule('node:util').types;
const require = createRequire(import.meta.filename);
const usualNames = ['handler', 'default', tencentName];

/**
 * @typedef {import('./instance.mjs').InitRequest} InitRequest @typedef {import('./invocation.mjs').Form} Form
 *
 * @param {import('./find-handler.mjs').FoundHandler} found
 * @param {InitRequest} settings
 * @param {string} [bundle] a folder with what the platform made of the file and all that it imports
 * @returns {Promise<Form>}
 * @throws Refusal HandlerNotFound, or what the user's modules throw
 */
export async function loadHandler({ file, exportName }, settings, bundle) {
  const { form: declared } = settings;
  if (declared !== undefined && declared !== 'lambda') await prepareFor(declared, settings);
  const module = (bundle === undefined ? undefined : await loadBundle(bundle, file)) ?? (await load(file));
  // What CommonJS exports is under `default`; not all names in it may be seen from outside.
  const commonJs = isObject(module['default']) ? module['default'] : {};
  const names = exportName === undefined ? usualNames : [exportName];
  const get = (/** @type {string} */ name) => module[name] ?? commonJs[name];
  for (const name of names) {
    const form = await formOf(get(name), commonJs, { name, get, settings });
    if (form !== undefined) return form;
  }
  // One may be registered, and not exported.
  const form =
    declared === undefined || declared === 'lambda'
      ? undefined
      : await foreignForm(declared, undefined, { name: exportName, get, settings });
  if (form !== undefined) return form;
  throw new Refusal(
    'HandlerNotFound',
    `${basename(file)} exports ${offered(module, commonJs)}; it must export ${names.map((name) => `"${name}"`).join(' or ')} as a function, or as an object with a function fetch`,
  );
}

/**
 * What a value was found as: the export's name, and the others of its module.
 * @typedef {{ name: string | undefined, get: (name: string) => unknown, settings: InitRequest }} Place
 */

/** @param {import('./detect-form.mjs').FormName} name @param {InitRequest} settings */
async function prepareFor(name, settings) {
  const { prepareForm } = await import('./foreign-form.mjs');
  await prepareForm(name, settings);
}

/**
 * @param {import('./detect-form.mjs').FormName} form @param {Function | undefined} handler @param {Place} place
 * @returns {Promise<Form | undefined>} undefined: there is none
 */
async function foreignForm(form, handler, { name, get, settings }) {
  const { openForm } = await import('./foreign-form.mjs');
  return openForm(form, { handler, name, get }, settings);
}

/** @param {string} bundle @param {string} file @returns {Promise<Record<string, unknown> | undefined>} undefined: there is none that can be read */
async function loadBundle(bundle, file) {
  // Loaded only where it is needed.
  const { evaluate, readScript } = await import('./bundled-code.mjs');
  let script;
  try {
    script = readScript(bundle, file);
  } catch {
    return undefined;
  }
  const exported = evaluate(script, bundle, file);
  return isObject(exported) && '__esModule' in exported ? exported : { default: exported };
}

/**
 * A module's exports as `import` has them. It is loaded by `require`, which takes half the time of `import` and knows ES modules, too,
 * as long as none of them waits at its top level.
 * @param {string} file @returns {Promise<Record<string, unknown>>}
 */
async function load(file) {
  try {
    const loaded = require(file);
    return isModuleNamespaceObject(loaded) ? loaded : { default: loaded };
  } catch (error) {
    // Nothing of it has been evaluated then.
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_REQUIRE_ASYNC_MODULE')) throw error;
    return import(pathToFileURL(file).href);
  }
}

/** @param {unknown} value @param {object} owner what the value is a property of @param {Place} place @returns {Promise<Form | undefined>} */
async function formOf(value, owner, place) {
  const { form: declared } = place.settings;
  if (isApp(value)) {
    // Loaded only where it is needed.
    const { fetchForm } = await import('./fetch-form.mjs');
    return fetchForm(value);
  }
  if (isServer(value) && !isOfRequests(declared))
    throw new Refusal(
      'HandlerNotFound',
      'the handler is a server (an app of Express or the like), which takes requests on a port: let it listen on process.env.PORT and deploy it with "runtime: http"',
    );
  if (typeof value === 'function') {
    if (isStreamed(value)) return streamedForm(value);
    const form = declared ?? detectForm(value, place.name ?? '', place.get);
    return form === 'lambda' ? eventForm(value.bind(owner)) : foreignForm(form, Function.prototype.bind.call(value, owner), place);
  }
  // TypeScript compiled to CommonJS: exports.default, seen from an ES module.
  return isObject(value) && 'default' in value && value['default'] !== value ? formOf(value['default'], value, place) : undefined;
}

/** Takes a request and a response, as an app of Express does. @param {import('./detect-form.mjs').FormName | undefined} form */
const isOfRequests = (form) => form === 'google-cloud-http';

/** @param {unknown} value @returns {value is { fetch: Function }} */
const isApp = (value) => isObject(value) && typeof value['fetch'] === 'function';

/** An app of Express calls what it is bound with a route of its own. @param {unknown} value */
const isServer = (value) => isObject(value) && typeof value['listen'] === 'function';

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

/** @param {object} module @param {object} commonJs */
function offered(module, commonJs) {
  const ignored = new Set(['__esModule', 'module.exports', 'length', 'name', 'prototype']);
  const names = [...new Set([...Object.keys(module), ...Object.keys(commonJs)])].filter((name) => !ignored.has(name));
  return names.length === 0 ? 'nothing' : names.map((name) => `"${name}"`).join(', ');
}
