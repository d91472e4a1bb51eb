// From "dir/file.export" to a file. Nothing of the user's is run for it.
import { Refusal } from './failure.mjs';
import { parse } from './intrinsics.mjs';

const { readdirSync, readFileSync, statSync } = process.getBuiltinModule('node:fs');
const { basename, dirname, join } = process.getBuiltinModule('node:path');
const extensions = ['.mjs', '.js', '.cjs', '.mts', '.ts', '.cts'];
const shownFiles = 20;

/** @typedef {{ file: string, exportName: string | undefined }} FoundHandler an undefined name: the usual ones are tried */

/**
 * @param {string} codeDir @param {string} handler `file.export` or `file`, without the file's extension
 * @returns {FoundHandler}
 * @throws Refusal HandlerNotFound
 */
export function findHandler(codeDir, handler) {
  const dot = handler.lastIndexOf('.');
  if (dot > handler.lastIndexOf('/') + 1) {
    const file = findModule(codeDir, handler.slice(0, dot));
    if (file !== undefined) return { file, exportName: handler.slice(dot + 1) };
  }
  const file = findModule(codeDir, handler);
  if (file !== undefined) return { file, exportName: undefined };
  const wanted = dot > 0 ? handler.slice(0, dot) : handler;
  throw new Refusal(
    'HandlerNotFound',
    `the handler "${handler}" needs a file ${wanted}{${extensions.join(',')}}; the bundle has ${listFiles(codeDir)}`,
  );
}

/** @param {string} codeDir @param {string} name */
function findModule(codeDir, name) {
  const path = join(codeDir, name);
  if (path !== join(codeDir) && !path.startsWith(join(codeDir, '/'))) return undefined;
  const names = namesIn(dirname(path));
  const file = withExtension(names, basename(path));
  if (file !== undefined) return join(dirname(path), file);
  if (!names.has(basename(path)) && path !== join(codeDir)) return undefined;
  return isFile(path) ? path : mainModule(path);
}

/** A folder's module, as `import` would find it. @param {string} folder */
function mainModule(folder) {
  const names = namesIn(folder);
  const declared = names.has('package.json') ? declaredMain(join(folder, 'package.json')) : undefined;
  if (declared !== undefined && isFile(join(folder, declared))) return join(folder, declared);
  const index = withExtension(names, 'index');
  return index === undefined ? undefined : join(folder, index);
}

/** @param {string} file a package.json @returns {string | undefined} */
function declaredMain(file) {
  try {
    const { exports, main } = parse(readFileSync(file, 'utf8'));
    const root = exports?.['.'] ?? exports;
    const found = [root, root?.node, root?.import, root?.default, root?.require, main];
    return found.find((candidate) => typeof candidate === 'string');
  } catch {
    // One that cannot be read declares nothing; Node.js says what is wrong with it when it loads the module.
    return undefined;
  }
}

/** @param {ReadonlySet<string>} names @param {string} base */
function withExtension(names, base) {
  return extensions.map((extension) => base + extension).find((name) => names.has(name));
}

/** @param {string} folder @returns {Set<string>} */
function namesIn(folder) {
  try {
    return new Set(readdirSync(folder));
  } catch {
    return new Set();
  }
}

/** @param {string} path */
function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** @param {string} folder */
function listFiles(folder) {
  const names = [...namesIn(folder)];
  if (names.length === 0) return 'no files';
  return names.slice(0, shownFiles).join(', ') + (names.length > shownFiles ? `, … (${names.length} in all)` : '');
}
