/** What a folder means that says nothing of itself. */
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join, normalize, resolve } from 'node:path';
import { z } from 'zod';
import { SwiftletError } from '../model/errors.ts';
import { handlerPattern } from '../model/function.ts';
import { nameRule, nameSchema } from '../model/names.ts';
import { type Language, languageOf, type RuntimeName } from '../model/runtimes.ts';
import { bootstrapFile, isProgramRuntime, programEntry } from './program-entry.ts';

const entryExtensions = ['.ts', '.mts', '.js', '.mjs', '.cjs'];
const indexFiles = entryExtensions.map((extension) => `index${extension}`);
/** The last one is what AWS Lambda's console names it. */
const pythonFiles = ['index.py', 'main.py', 'app.py', 'lambda_function.py'];

/** Conditions of "exports" under which a function is loaded, the first that is there counts. */
const conditions = ['node', 'import', 'require', 'default'];

const packageSchema = z.object({ main: z.unknown(), module: z.unknown(), exports: z.unknown() }).partial();

/** The function's name from its folder's. @throws SwiftletError NameInvalid when no name can be made of it */
export function nameOfFolder(folder: string): string {
  const folderName = basename(resolve(folder));
  const name = folderName
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '');
  if (nameSchema.safeParse(name).success) return name;
  throw new SwiftletError(
    'NameInvalid',
    `no function's name can be made of the folder's name "${folderName}" (a name is ${nameRule}); rename the folder, or name the function in swiftlet.yaml`,
  );
}

/** What a folder says without words. */
export interface FolderEntry {
  /** A path without its extension. */
  readonly handler: string;
  readonly runtime?: RuntimeName;
}

/**
 * The handler of a folder: what package.json names, else index; for Python index, main or app.
 * @param wanted the runtime that the manifest names; undefined: what lies there decides
 * @throws SwiftletError HandlerNotFound that lists what was looked for
 */
export async function entryOfFolder(folder: string, wanted: RuntimeName | undefined): Promise<FolderEntry> {
  if (wanted !== undefined && isProgramRuntime(wanted)) return programEntry(folder, wanted);
  const language = wanted === undefined ? undefined : languageOf(wanted);
  const looked = await entriesFor(folder, language);
  const found = looked.find((path) => isFile(join(folder, path)));
  if (found === undefined && language === undefined && isFile(join(folder, bootstrapFile))) return programEntry(folder, 'provided');
  if (found === undefined) throw nothingFound(folder, looked, language);
  const handler = found.replace(/\.(?:[cm]?[jt]s|py)$/, '');
  // A dot in the name would be taken for the start of the export's name.
  if (handlerPattern.test(handler) && !basename(handler).includes('.'))
    return found.endsWith('.py') ? { handler, runtime: 'python3' } : { handler };
  throw new SwiftletError('HandlerNotFound', `${found} in ${folder} cannot be a handler: ${entryRule}`, { place: folder });
}

async function entriesFor(folder: string, language: Language | undefined): Promise<readonly string[]> {
  if (language === 'python') return pythonFiles;
  const node = [...(await namedEntries(folder)).flatMap(filesOf), ...indexFiles];
  return language === 'nodejs' ? node : [...node, ...pythonFiles];
}

function nothingFound(folder: string, looked: readonly string[], language: Language | undefined): SwiftletError {
  const remedy = language === 'python' ? 'name' : `name the file in package.json's "main", or`;
  return new SwiftletError(
    'HandlerNotFound',
    `${folder} has no function: looked for ${[...new Set(looked)].join(', ')}; ${remedy} the handler in swiftlet.yaml`,
    { place: folder },
  );
}

const entryRule = 'the path has letters, digits, "_", "-", "@" and "/", and no dot but the extension’s; rename it';

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

/** The files that an entry of package.json may mean: itself, itself with an extension, the index of a folder. */
function filesOf(entry: string): string[] {
  const path = normalize(entry).replace(/\/$/, '');
  if (entryExtensions.some((extension) => path.endsWith(extension))) return [path];
  return [...entryExtensions.map((extension) => path + extension), ...indexFiles.map((index) => join(path, index))];
}

/** What package.json names as the entry, in the order in which Node.js asks it. */
async function namedEntries(folder: string): Promise<string[]> {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return [];
  try {
    const { exports, main, module } = packageSchema.parse(JSON.parse(await readFile(path, 'utf8')));
    return [exportedEntry(exports), main, module].filter((entry) => typeof entry === 'string');
  } catch (error) {
    const what = error instanceof z.ZodError ? 'it is no object' : String(error instanceof Error ? error.message : error);
    throw new SwiftletError('ManifestInvalid', `${path} is not valid: ${what}`, { cause: error, place: path });
  }
}

/** `exports` as a path, as conditions, or as subpaths of which "." is the package's own. */
function exportedEntry(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports;
  if (typeof exports !== 'object' || exports === null) return undefined;
  const byKey = new Map<string, unknown>(Object.entries(exports));
  const next = byKey.get('.') ?? conditions.map((condition) => byKey.get(condition)).find((value) => value !== undefined);
  return exportedEntry(next);
}
