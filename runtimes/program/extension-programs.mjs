// External extensions: executables that start before the function's program and live beside it.
import { ProgramFailure } from './program-failure.mjs';
import { endInWords, startProgram } from './program.mjs';

const { accessSync, constants, existsSync, readdirSync } = process.getBuiltinModule('node:fs');
const { basename, join } = process.getBuiltinModule('node:path');
const folderName = 'extensions';

/** @param {readonly string[]} places folders, of which the first counts that has extensions @returns {string[]} paths of executables */
export function findExtensions(places) {
  const folder = places.map((place) => join(place, folderName)).find((place) => existsSync(place));
  if (folder === undefined) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => join(folder, name))
    .filter(isExecutable)
    .sort();
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * @param {readonly string[]} paths @param {import('./program.mjs').Place} place
 * @param {import('./extensions.mjs').Extensions} extensions told of those that end
 * @returns {Promise<import('./program.mjs').Program[]>}
 * @throws ProgramFailure Extension.LaunchError
 */
export async function startExtensions(paths, place, extensions) {
  return Promise.all(
    paths.map(async (path) => {
      const name = basename(path);
      const program = await startProgram(path, [], place).catch((/** @type {unknown} */ error) => {
        throw new ProgramFailure('Extension.LaunchError', `extension ${name}: ${error instanceof Error ? error.message : String(error)}`);
      });
      void program.ended.then((end) =>
        extensions.crashed(new ProgramFailure('Extension.Crash', `extension ${name} ended: ${endInWords(end)}; ${lastWords(program)}`)),
      );
      return program;
    }),
  );
}

/** @param {import('./program.mjs').Program} program */
const lastWords = (program) => program.lastWords() || 'it printed nothing';
