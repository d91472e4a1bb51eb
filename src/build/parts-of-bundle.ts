/** Which package, distribution or folder each file of a bundle came with. Nothing but names and lists decides it. */
import { posix } from 'node:path';
import type { Part } from '../model/size.ts';

export interface PartOfFile {
  readonly kind: Part['kind'];
  readonly path: string;
  /** The file's path within it. */
  readonly inner: string;
}

/** The innermost package that a path lies in. */
const npmPackage = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/.@][^/]*(?=\/)/;
const record = /^(?:(.*)\/)?([^/]+?)-[^/-]*\.dist-info\/RECORD$/;
/** What Python made of a file. */
const compiled = /(?:^|\/)__pycache__\/([^/.]+)\.[^/]*\.pyc$/;
/** Folders with distributions. */
const maxSites = 8;

/**
 * @param texts lists that the bundle has, by path
 * @returns tells of a file's path what it belongs to
 */
export function partFinder(texts: ReadonlyMap<string, string>): (name: string) => PartOfFile {
  const distributions = readRecords(texts);
  return (name) => npmPart(name) ?? distributions(name) ?? folderPart(name);
}

function npmPart(name: string): PartOfFile | undefined {
  const path = npmPackage.exec(name)?.[0];
  return path === undefined ? undefined : { kind: 'npm', path, inner: name.slice(path.length + 1) };
}

function folderPart(name: string): PartOfFile {
  const cut = name.indexOf('/');
  return cut === -1 ? { kind: 'file', path: name, inner: name } : { kind: 'folder', path: name.slice(0, cut), inner: name.slice(cut + 1) };
}

/** Each distribution has a list of its files beside it. */
function readRecords(texts: ReadonlyMap<string, string>): (name: string) => PartOfFile | undefined {
  const owners = new Map<string, string>();
  const sites = new Set<string>();
  for (const [path, text] of texts) {
    const [, site = '', distribution = ''] = record.exec(path) ?? [];
    if (distribution === '') continue;
    if (sites.size < maxSites) sites.add(site);
    const owner = posix.join(site, distribution);
    for (const line of text.split('\n')) {
      const listed = line.startsWith('"') ? line.slice(1, line.indexOf('"', 1)) : (line.split(',', 1)[0] ?? '');
      const [top = ''] = listed.split('/', 1);
      if (top === '' || top === '..') continue;
      owners.set(posix.join(site, listed), owner);
      // What is not listed, since it was made later, is of who has its folder.
      if (top !== listed && !owners.has(posix.join(site, top))) owners.set(posix.join(site, top), owner);
    }
  }
  return (name) => {
    for (const site of sites) {
      if (site !== '' && !name.startsWith(`${site}/`)) continue;
      const inner = site === '' ? name : name.slice(site.length + 1);
      const owner =
        owners.get(name) ?? owners.get(name.replace(compiled, sourceOf)) ?? owners.get(posix.join(site, inner.split('/', 1)[0] ?? ''));
      if (owner !== undefined) return { kind: 'python', path: owner, inner };
    }
    return undefined;
  };
}

const sourceOf = (whole: string, module: string): string => `${whole.startsWith('/') ? '/' : ''}${module}.py`;
