// From "dir/file.export" to something that can be invoked.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Refusal } from './failure.mjs';

const extensions = ['.mjs', '.js', '.cjs', '.mts', '.ts', '.cts'];
const defaultExports = ['handler', 'default', 'main'];

/**
 * @typedef {{ kind: 'event', call: Function } | { kind: 'callback', call: Function } | { kind: 'stream', call: Function } | { kind: 'fetch', call: Function }} Handler
 */

/**
 * Splits a handler's name and finds its file. Nothing of the user's is run yet.
 * @param {string} codeDir @param {string} handler
 * @returns {{ file: string, exportName: string | undefined }}
 */
export function findHandler(codeDir, handler) {
  const whole = resolveFile(codeDir, handler);
  if (whole !== undefined) return { file: whole, exportName: undefined };
  const dot = handler.lastIndexOf('.');
  const file = dot > 0 ? resolveFile(codeDir, handler.slice(0, dot)) : undefined;
  if (file !== undefined) return { file, exportName: handler.slice(dot + 1) };
  const name = dot > 0 ? handler.slice(0, dot) : handler;
  throw new Refusal(
    'HandlerNotFound',
    `the handler "${handler}" needs a file ${name}.{mjs,js,cjs,mts,ts,cts}; the bundle has ${listFiles(codeDir)}`,
  );
}

/** @param {string} codeDir @param {string} name */
function resolveFile(codeDir, name) {
  const base = resolve(codeDir, name);
  if (base !== codeDir && !base.startsWith(`${codeDir}/`)) return undefined;
  for (const candidate of [...extensions.map((extension) => base + extension), base]) {
    if (isFile(candidate)) return candidate;
  }
  return mainOf(base);
}

/** @param {string} folder */
function mainOf(folder) {
  try {
    const { main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (typeof main === 'string' && isFile(join(folder, main))) return join(folder, main);
  } catch {
    // No package.json, or one without a main: an index file may do.
  }
  return extensions.map((extension) => join(folder, `index${extension}`)).find(isFile);
}

/** @param {string} path */
function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** @param {string} folder */
function listFiles(folder) {
  try {
    return readdirSync(folder).slice(0, 20).join(', ') || 'no files';
  } catch {
    return 'no files';
  }
}

/**
 * Evaluates the user's modules and picks the handler among their exports.
 * @param {{ file: string, exportName: string | undefined }} found
 * @returns {Promise<Handler>}
 */
export async function loadHandler({ file, exportName }) {
  const module = await import(pathToFileURL(file).href);
  // What CommonJS exports is under `default`; its named exports may not all be seen.
  const commonJs =
    module.default !== null && (typeof module.default === 'object' || typeof module.default === 'function') ? module.default : {};
  const names = exportName === undefined ? defaultExports : [exportName];
  for (const name of names) {
    const found = classify(module[name] ?? commonJs[name], commonJs);
    if (found !== undefined) return found;
  }
  const offered = [...new Set([...Object.keys(module), ...Object.keys(commonJs)])].filter(
    (name) => name !== '__esModule' && name !== 'module.exports',
  );
  throw new Refusal(
    'HandlerNotFound',
    `${file.split('/').pop()} exports ${offered.join(', ') || 'nothing'}; it must export ${names.map((name) => `"${name}"`).join(' or ')} as a function or as an object with fetch()`,
  );
}

/** @param {unknown} value @param {object} owner @returns {Handler | undefined} */
function classify(value, owner) {
  if (typeof value === 'function') {
    if (value[streamMark] === true) return { kind: 'stream', call: value };
    if (typeof (/** @type {any} */ (value).fetch) === 'function' && value.length === 0)
      return { kind: 'fetch', call: value.fetch.bind(value) };
    return { kind: value.length >= 3 ? 'callback' : 'event', call: value.bind(owner) };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (typeof value.fetch === 'function') return { kind: 'fetch', call: value.fetch.bind(value) };
  return 'default' in value && value.default !== value ? classify(value.default, value) : undefined;
}

/** Set on functions that take a response stream; the name is the one that code from AWS Lambda uses. */
export const streamMark = Symbol.for('aws.lambda.runtime.handler.streaming');
