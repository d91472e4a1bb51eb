import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { refusal } from './bundle-refusal.ts';

export interface FolderFile {
  /** Relative to the folder, with `/`. */
  readonly name: string;
  /** Where its content lies, after links. */
  readonly source: string;
  readonly executable: boolean;
  readonly size: number;
}

/**
 * Lists the files of a folder in the order of their names. A link that stays inside stands for what it points to.
 * @param isExcluded called with relative paths, which end in `/` for folders; an excluded folder is not entered
 * @throws SwiftletError BundleRejected for a link that leads out, nowhere or in a circle, and for what is neither file nor folder
 */
export async function listFolder(folder: string, isExcluded: (path: string) => boolean): Promise<FolderFile[]> {
  const root = await realpath(folder);
  const found: FolderFile[] = [];

  const enter = async (real: string, name: string, above: readonly string[]): Promise<void> => {
    if (above.includes(real)) throw refusal(name, 'it is a link to a folder that it lies in', 'remove the link, or exclude it');
    for (const entry of await readdir(real, { withFileTypes: true })) await take(real, name, entry, [...above, real]);
  };

  const take = async (folderReal: string, prefix: string, entry: Dirent, above: readonly string[]): Promise<void> => {
    const name = prefix + entry.name;
    if (isExcluded(entry.isDirectory() ? `${name}/` : name)) return;
    const source = entry.isSymbolicLink() ? await insideTarget(root, join(folderReal, entry.name), name) : join(folderReal, entry.name);
    const facts = await stat(source);
    if (facts.isFile()) found.push({ name, source, executable: (facts.mode & 0o100) !== 0, size: facts.size });
    else if (facts.isDirectory()) await enter(source, `${name}/`, above);
    else throw refusal(name, 'it is neither a file nor a folder', 'remove it, or exclude it');
  };

  await enter(root, '', []);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function insideTarget(root: string, path: string, name: string): Promise<string> {
  const target = await realpath(path).catch(() => undefined);
  if (target !== undefined && (target === root || target.startsWith(`${root}${sep}`))) return target;
  throw refusal(name, 'it is a link that leads out of the folder, or nowhere', 'put in its place what it points to, or exclude it');
}
