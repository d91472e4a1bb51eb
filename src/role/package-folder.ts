import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package: the one above us that has its package.json, in a checkout and in the published package alike. */
export const packageFolder: string = find(import.meta.dirname);

function find(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  if (parent === folder) throw new Error('Swiftlet is not installed whole: its package.json is missing');
  return find(parent);
}
