import { distance } from 'fastest-levenshtein';
import { SwiftletError } from '../model/errors.ts';
import type { Language } from '../model/runtimes.ts';

/** What has handlers in files. */
type HandlerLanguage = Exclude<Language, 'program'>;

/** How the runtimes of a language find a handler's file. */
interface HandlerRules {
  readonly extensions: readonly string[];
  /** The paths without an extension that a handler may mean. */
  readonly names: (handler: string) => readonly string[];
  /** What may follow such a path. */
  readonly ends: readonly string[];
  readonly remedy: string;
}

const nodeExtensions = ['.mjs', '.js', '.cjs', '.mts', '.ts', '.cts'];
const rules: Readonly<Record<HandlerLanguage, HandlerRules>> = {
  nodejs: {
    extensions: nodeExtensions,
    names: pathsOf,
    ends: ['', ...nodeExtensions, '/package.json', ...nodeExtensions.map((extension) => `/index${extension}`)],
    remedy: 'Set "handler" to "file.export" without the extension',
  },
  python: {
    extensions: ['.py'],
    // As Python writes it, or with slashes.
    names: (handler) => pathsOf(handler).map((path) => path.replaceAll('.', '/')),
    ends: ['.py', '/__init__.py'],
    remedy: 'Set "handler" to "module.function"',
  },
};
const shownCandidates = 8;
/** So many names are compared at most, the shortest: a handler is rarely deep down. */
const comparedCandidates = 500;

/** Which of a bundle's files a handler can be in: those that are not dependencies. */
export const handlerFiles = (files: readonly string[]): string[] =>
  files.filter((name) => !/(?:^|\/)node_modules\/|^site-packages\//.test(name));

/**
 * Makes sure that a runtime will find the file of a handler; whether that file has it, only running it can tell.
 * @throws SwiftletError HandlerNotFound with what there is instead
 */
export function checkHandler(handler: string, files: readonly string[], language: HandlerLanguage = 'nodejs'): void {
  const there = new Set(files);
  const { names, ends, extensions, remedy } = rules[language];
  const wanted = names(handler);
  if (wanted.some((name) => ends.some((end) => there.has(name + end)))) return;
  const last = wanted.at(-1) ?? handler;
  const candidates = candidatesFor(last, files, extensions);
  const instead = candidates.length === 0 ? 'the bundle has no module at all' : `the bundle has ${candidates.join(', ')}`;
  const kinds = extensions.length === 1 ? 'the extension' : 'one of the extensions';
  throw new SwiftletError(
    'HandlerNotFound',
    `the handler "${handler}" needs a file "${last}" with ${kinds} ${extensions.join(' ')}; ${instead}. ${remedy}${otherLanguage(last, there, language)}`,
    { place: 'config.handler' },
  );
}

/** The whole, and what is before its last dot. */
function pathsOf(handler: string): string[] {
  const path = handler.replace(/^\.\//, '');
  const dot = path.lastIndexOf('.');
  return dot > 0 ? [path, path.slice(0, dot)] : [path];
}

const otherLanguage = (name: string, there: ReadonlySet<string>, language: HandlerLanguage): string =>
  language === 'nodejs' && there.has(`${name.replaceAll('.', '/')}.py`) ? '; for Python set "runtime" to python3, too' : '';

/** Modules of the bundle, those first whose name is most like what was wanted. */
function candidatesFor(wanted: string, files: readonly string[], extensions: readonly string[]): string[] {
  const modules = files
    .filter((name) => extensions.some((extension) => name.endsWith(extension)))
    .toSorted((a, b) => a.length - b.length)
    .slice(0, comparedCandidates);
  const far = new Map(modules.map((name) => [name, distance(wanted, name.replace(/\.[^.]+$/, ''))]));
  return modules.toSorted((a, b) => (far.get(a) ?? 0) - (far.get(b) ?? 0)).slice(0, shownCandidates);
}
