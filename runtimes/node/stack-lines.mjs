// Stack traces of bundled code show the lines that its author wrote. Nothing is read before the first stack is looked at.
const { readFileSync } = process.getBuiltinModule('node:fs');
const { SourceMap } = process.getBuiltinModule('node:module');
const { dirname, join } = process.getBuiltinModule('node:path');
const { toString } = Error.prototype;

/** @param {string} script the bundle's name, as V8 knows it; where its sources lie is told from its folder @param {string} mapPath */
export function showStackLinesOf(script, mapPath) {
  /** @type {import('node:module').SourceMap | null | undefined} */
  let map;
  /** @param {NodeJS.CallSite} site */
  const frameOf = (site) => {
    const frame = String(site);
    if (site.getFileName() !== script) return frame;
    map ??= read(mapPath);
    const [line, column] = [site.getLineNumber() ?? 0, site.getColumnNumber() ?? 0];
    const entry = map?.findEntry(line - 1, column - 1);
    if (entry === undefined || !('originalSource' in entry)) return frame;
    const place = `${join(dirname(script), entry.originalSource)}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    return frame.replace(`${script}:${line}:${column}`, () => place);
  };
  Error.prepareStackTrace = (error, sites) => [textOf(error), ...sites.map((site) => `    at ${frameOf(site)}`)].join('\n');
}

/** @param {string} path @returns {import('node:module').SourceMap | null} */
function read(path) {
  try {
    return new SourceMap(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // The bundle's own lines are better than none.
    return null;
  }
}

/** @param {unknown} error */
function textOf(error) {
  try {
    return toString.call(error);
  } catch {
    return '<error>';
  }
}
