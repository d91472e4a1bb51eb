// From a file to something that can be invoked: the user's modules are evaluated here.
import { eventForm } from './event-form.mjs';
import { Refusal } from './failure.mjs';
import { isStreamed, streamedForm } from './streamed-form.mjs';

const { basename } = process.getBuiltinModule('node:path');
const { pathToFileURL } = process.getBuiltinModule('node:url');
const usualNames = ['handler', 'default'];

/**
 * @param {import('./find-handler.mjs').FoundHandler} found
 * @returns {Promise<import('./invocation.mjs').Form>}
 * @throws Refusal HandlerNotFound, or what the user's modules throw
 */
export async function loadHandler({ file, exportName }) {
  const module = await import(pathToFileURL(file).href);
  // What CommonJS exports is under `default`; not all names in it may be seen from outside.
  const commonJs = isObject(module.default) ? module.default : {};
  const names = exportName === undefined ? usualNames : [exportName];
  for (const name of names) {
    const form = await formOf(module[name] ?? commonJs[name], commonJs);
    if (form !== undefined) return form;
  }
  throw new Refusal(
    'HandlerNotFound',
    `${basename(file)} exports ${offered(module, commonJs)}; it must export ${names.map((name) => `"${name}"`).join(' or ')} as a function, or as an object with a function fetch`,
  );
}

/** @param {unknown} value @param {object} owner what the value is a property of @returns {Promise<import('./invocation.mjs').Form | undefined>} */
async function formOf(value, owner) {
  if (isApp(value)) {
    // Loaded only where it is needed.
    const { fetchForm } = await import('./fetch-form.mjs');
    return fetchForm(value);
  }
  if (typeof value === 'function') {
    if (isStreamed(value)) return streamedForm(value);
    return eventForm(value.bind(owner));
  }
  // TypeScript compiled to CommonJS: exports.default, seen from an ES module.
  return isObject(value) && 'default' in value && value['default'] !== value ? formOf(value['default'], value) : undefined;
}

/** @param {unknown} value @returns {value is { fetch: Function }} */
const isApp = (value) => isObject(value) && typeof value['fetch'] === 'function';

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

/** @param {object} module @param {object} commonJs */
function offered(module, commonJs) {
  const ignored = new Set(['__esModule', 'module.exports', 'length', 'name', 'prototype']);
  const names = [...new Set([...Object.keys(module), ...Object.keys(commonJs)])].filter((name) => !ignored.has(name));
  return names.length === 0 ? 'nothing' : names.map((name) => `"${name}"`).join(', ');
}
