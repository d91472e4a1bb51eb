/** What a folder means that says nothing of itself. */
import { readFile } from 'node:fs/promises';
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { SwiftletError } from '../model/errors.ts';
import { nameRule, nameSchema } from '../model/names.ts';

const entryExtensions = ['ts', 'mts', 'js', 'mjs', 'cjs'];

/** The function's name from its folder's. @throws SwiftletError NameInvalid when no name can be made of it */
export function nameOfFolder(folder: string): string {
  const name = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[-0-9]+|-+$/g, '');
  if (nameSchema.safeParse(name).success) return name;
  throw new SwiftletError(
    'NameInvalid',
    `no function's name can be made of the folder's name "${basename(resolve(folder))}" (${nameRule}); rename the folder, or name the function in swiftlet.yaml`,
  );
}

/**
 * The handler of a folder: package.json's main, else index.
 * @returns a path without its extension
 * @throws SwiftletError HandlerNotFound that lists what was looked for
 */
export async function handlerOfFolder(folder: string): Promise<string> {
  const main = await mainOf(folder);
  const looked = [...(main === undefined ? [] : [main]), ...entryExtensions.map((extension) => `index.${extension}`)];
  const found = looked.find((path) => isFile(join(folder, path)));
  if (found !== undefined) return found.replace(/^\.\//, '').replace(/\.[cm]?[jt]s$/, '');
  throw new SwiftletError(
    'HandlerNotFound',
    `${folder} has no function: looked for ${looked.join(', ')}; name the file in package.json's "main", or the handler in swiftlet.yaml`,
    { place: folder },
  );
}

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile();

async function mainOf(folder: string): Promise<string | undefined> {
  const path = join(folder, 'package.json');
  if (!existsSync(path)) return undefined;
  try {
    const { main, exports } = JSON.parse(await readFile(path, 'utf8')) as { main?: unknown; exports?: unknown };
    if (typeof main === 'string') return main;
    return typeof exports === 'string' ? exports : undefined;
  } catch (error) {
    throw new SwiftletError('ManifestInvalid', `${path} is no valid JSON: ${error instanceof Error ? error.message : String(error)}`, {
      place: path,
    });
  }
}
