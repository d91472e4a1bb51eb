// What a custom pool's sandbox imports before anybody asks for it, so that functions which import the same find it evaluated.
import { enterLayers, homesOf } from './layers.mjs';

const Module = process.getBuiltinModule('node:module');
const { isAbsolute, join } = process.getBuiltinModule('node:path');
const { pathToFileURL } = process.getBuiltinModule('node:url');
const require = Module.createRequire(import.meta.filename);

/**
 * Where a module that is imported here was found: from there it is found by all. `file` is what `require` gets; undefined: it is for `import` alone.
 * @typedef {{ parentURL: string, file: string | undefined }} Place @type {Map<string, Place>}
 */
const places = new Map();

/**
 * Imports modules in their order. From then on, whoever asks for one of them by its name gets this one, also where a copy lies beside the function's own code:
 * it uses the pool so that it does.
 * @param {{ readonly modules: readonly string[], readonly layers?: string }} request src/wire/instance-protocol.ts
 * @returns {Promise<{ module: string, message: string }[]>} those that could not be imported, and why
 */
export async function preload({ modules, layers }) {
  if (layers !== undefined) enterLayers(layers, {});
  const homes = layers === undefined ? [] : homesOf(layers).map((home) => pathToFileURL(join(home, 'index.js')).href);
  Module.registerHooks?.({ resolve: fromItsPlace });
  const failed = [];
  for (const module of modules) {
    const message = await load(module, homes);
    if (message !== undefined) failed.push({ module, message });
  }
  return failed;
}

/** @type {import('node:module').ResolveHookSync} */
const fromItsPlace = (specifier, context, next) => {
  const place = places.get(specifier);
  if (place === undefined) return next(specifier, context);
  // What asks is taken from the module that requires, whatever the context says.
  if (place.file !== undefined && context.conditions.includes('require'))
    return { url: pathToFileURL(place.file).href, shortCircuit: true };
  return next(specifier, { ...context, parentURL: place.parentURL });
};

/** @param {string} module @param {readonly string[]} homes @returns {Promise<string | undefined>} why it could not be */
async function load(module, homes) {
  for (const parentURL of homes) {
    const file = find(module, parentURL);
    if (file === undefined) continue;
    if (file === '' || isAbsolute(file)) places.set(module, { parentURL, file: file === '' ? undefined : file });
    break;
  }
  try {
    // Some packages have one file for `import` and another one for `require`; code may ask for either.
    await import(module);
    loadRequired(module);
    return undefined;
  } catch (error) {
    places.delete(module);
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

/** @param {string} module @param {string} parent @returns {string | undefined} what `require` gets; empty: it is there for `import` alone */
function find(module, parent) {
  try {
    return Module.createRequire(parent).resolve(module);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' ? '' : undefined;
  }
}

/** @param {string} module */
function loadRequired(module) {
  try {
    require(module);
  } catch {
    // It is for `import` alone.
  }
}
