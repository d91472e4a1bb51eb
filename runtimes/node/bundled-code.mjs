// A function's code as one file, with what V8 made of it beside it: what the platform made when the function was published, see bundle-code.mjs.
//
// Budget: what reading two files costs. The script is V8's again without a look at its text, and what it ran then is compiled already.
import { showStackLinesOf } from './stack-lines.mjs';

const { readFileSync } = process.getBuiltinModule('node:fs');
const { createRequire } = process.getBuiltinModule('node:module');
const { dirname, join } = process.getBuiltinModule('node:path');
const { constants, Script } = process.getBuiltinModule('node:vm');

/** The files of such code. */
export const codeFile = 'bundle.cjs';
export const mapFile = 'bundle.cjs.map';
export const cacheFile = 'bundle.cache';

/** What stands around the code in its file, as around every CommonJS module. The parentheses have V8 compile it at once. */
export const around = { before: '(function (exports, require, module, __filename, __dirname) {', after: '})' };

/**
 * @param {string} folder with these files
 * @param {string} file the handler's own file: from there it finds what is not in the bundle
 * @returns {import('node:vm').Script}
 * @throws Error when there is no such code
 */
export function readScript(folder, file) {
  // All of it is ASCII. A cache of another V8, or of other flags, is left aside by V8 itself.
  const code = readFileSync(join(folder, codeFile), 'latin1');
  return new Script(code, {
    filename: scriptName(file),
    cachedData: readIfThere(join(folder, cacheFile)),
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
}

/**
 * Evaluates it.
 * @param {import('node:vm').Script} script @param {string} folder @param {string} file as for `readScript`
 * @returns {unknown} what it exports
 */
export function evaluate(script, folder, file) {
  showStackLinesOf(scriptName(file), join(folder, mapFile));
  const module = { exports: {} };
  script.runInThisContext().call(module.exports, module.exports, createRequire(file), module, file, dirname(file));
  return module.exports;
}

/** Beside the handler's file, so that its `import(…)` of a name that nobody knew leads where it led. @param {string} file */
const scriptName = (file) => join(dirname(file), codeFile);

/** @param {string} path @returns {Buffer | undefined} */
function readIfThere(path) {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
