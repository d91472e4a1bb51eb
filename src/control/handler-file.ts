import { distance } from 'fastest-levenshtein';
import { SwiftletError } from '../model/errors.ts';

const extensions = ['.mjs', '.js', '.cjs', '.mts', '.ts', '.cts'];
const shownCandidates = 8;
/** So many names are compared at most, the shortest: a handler is rarely deep down. */
const comparedCandidates = 500;

/** Which of a bundle's files a handler can be in: those that are not dependencies. */
export const handlerFiles = (files: readonly string[]): string[] => files.filter((name) => !/(?:^|\/)node_modules\//.test(name));

/**
 * Makes sure that a runtime will find the file of a handler; whether that file exports it, only running it can tell.
 * @throws SwiftletError HandlerNotFound with what there is instead
 */
export function checkHandler(handler: string, files: readonly string[]): void {
  const there = new Set(files);
  const dot = handler.lastIndexOf('.');
  const names = dot > 0 ? [handler, handler.slice(0, dot)] : [handler];
  if (names.some((name) => isModule(name.replace(/^\.\//, ''), there))) return;
  const wanted = names.at(-1) ?? handler;
  const candidates = candidatesFor(wanted, files);
  const instead = candidates.length === 0 ? 'the bundle has no module at all' : `the bundle has ${candidates.join(', ')}`;
  throw new SwiftletError(
    'HandlerNotFound',
    `the handler "${handler}" needs a file "${wanted}" with one of the extensions ${extensions.join(' ')}; ${instead}. Set "handler" to "file.export" without the extension`,
    { place: 'config.handler' },
  );
}

function isModule(name: string, there: ReadonlySet<string>): boolean {
  return ['', ...extensions, '/package.json', ...extensions.map((extension) => `/index${extension}`)].some((end) => there.has(name + end));
}

/** Modules of the bundle, those first whose name is most like what was wanted. */
function candidatesFor(wanted: string, files: readonly string[]): string[] {
  const modules = files
    .filter((name) => extensions.some((extension) => name.endsWith(extension)))
    .toSorted((a, b) => a.length - b.length)
    .slice(0, comparedCandidates);
  const far = new Map(modules.map((name) => [name, distance(wanted, name.replace(/\.[^.]+$/, ''))]));
  return modules.toSorted((a, b) => (far.get(a) ?? 0) - (far.get(b) ?? 0)).slice(0, shownCandidates);
}
