// What a function finds of its layers: their modules, programs and libraries.
const Module = process.getBuiltinModule('node:module');
const { join } = process.getBuiltinModule('node:path');
const { pathToFileURL } = process.getBuiltinModule('node:url');
const { env, versions } = process;
/** As it was before any layers. */
const ownPath = env['PATH'];
let isHooked = false;

/** @param {string} layers the folder that they are in @returns {string[]} what has `node_modules`, as on AWS Lambda; the first counts */
export const homesOf = (layers) => [join(layers, 'nodejs', `node${versions.node.split('.', 1)[0]}`), join(layers, 'nodejs')];

/**
 * Lets the function find them: by variables, which its own win over, by `require`, and by `import`.
 * @param {string} layers the folder that they are in @param {Readonly<Record<string, string>>} own the function's own variables
 */
export function enterLayers(layers, own) {
  for (const [name, value] of variables(layers)) if (own[name] === undefined) env[name] = value;
  // The way of Node.js itself, which reads NODE_PATH when it starts.
  /** @type {typeof Module & { _initPaths?: () => void }} */ (Module)._initPaths?.();
  // A custom pool's sandbox has entered them before it is anybody's.
  if (isHooked) return;
  isHooked = true;
  Module.registerHooks?.({ resolve: resolveBeside(homesOf(layers).map((home) => pathToFileURL(join(home, 'index.js')).href)) });
}

/** @param {string} layers @returns {[name: string, value: string][]} */
const variables = (layers) => [
  ['PATH', `${ownPath}:${join(layers, 'bin')}`],
  [
    'NODE_PATH',
    homesOf(layers)
      .map((home) => join(home, 'node_modules'))
      .join(':'),
  ],
  ['LD_LIBRARY_PATH', join(layers, 'lib')],
];

/**
 * What is not found from where it is asked for is looked for from these places: `import` knows no NODE_PATH.
 * @param {readonly string[]} parents @returns {import('node:module').ResolveHookSync}
 */
const resolveBeside = (parents) => (specifier, context, next) => {
  try {
    return next(specifier, context);
  } catch (error) {
    if (!isPackage(specifier) || !isNotFound(error)) throw error;
    for (const parentURL of parents) {
      const found = unlessMissing(() => next(specifier, { ...context, parentURL }));
      if (found !== undefined) return found;
    }
    throw error;
  }
};

/** @param {string} specifier */
const isPackage = (specifier) => /^(?:@[^/]+\/)?[^./:#][^:]*$/.test(specifier);

/** @param {unknown} error */
const isNotFound = (error) =>
  error instanceof Error && 'code' in error && (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND');

/** @template T @param {() => T} find @returns {T | undefined} */
function unlessMissing(find) {
  try {
    return find();
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
