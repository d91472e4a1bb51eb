/** What is said of a version's size when it is deployed or described. */
import type { Version } from '../../model/function.ts';
import type { Contents, Part, SizeAdvice } from '../../model/size.ts';
import type { PartUse, SizeStore } from './size-store.ts';

const namedParts = 5;

/**
 * @param reached packages of npm that its one file was made of; undefined: it was not made
 * @returns undefined for artifacts of a release that did not keep what is in them
 */
export async function sizeAdvice(
  sizes: SizeStore,
  { tenant, digest }: Version,
  reached?: readonly string[],
): Promise<SizeAdvice | undefined> {
  const [contents, uses] = await Promise.all([sizes.find(tenant, digest), sizes.uses(tenant, digest)]);
  return contents === undefined ? undefined : adviseSize(contents, uses, reached);
}

/** @param uses who has parts of the same content @param reached as above */
export function adviseSize({ bytes, files, parts, needless }: Contents, uses: readonly PartUse[], reached?: readonly string[]): SizeAdvice {
  return {
    bytes,
    files,
    largest: parts.map(({ path, kind, bytes: ofPart, files: count }) => ({ path, kind, bytes: ofPart, files: count })),
    unused: [...notImported(parts, reached), ...needless].sort((a, b) => b.bytes - a.bytes),
    shared: shared(parts, uses),
  };
}

function notImported(parts: readonly Part[], reached: readonly string[] | undefined): SizeAdvice['unused'] {
  if (reached === undefined) return [];
  const known = new Set(reached);
  const left = parts
    .filter(({ kind, path }) => kind === 'npm' && !known.has(path))
    // What is needless anyway is counted there.
    .map(({ path, files, bytes, needlessBytes }) => ({ path, files, bytes: bytes - needlessBytes }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
  if (left.length === 0) return [];
  const sum = (of: 'bytes' | 'files') => left.reduce((total, part) => total + part[of], 0);
  return [{ why: 'not imported', bytes: sum('bytes'), files: sum('files'), paths: left.slice(0, namedParts).map(({ path }) => path) }];
}

function shared(parts: readonly Part[], uses: readonly PartUse[]): SizeAdvice['shared'] {
  const users = Map.groupBy(uses, ({ content }) => content);
  return parts.flatMap(({ path, bytes, content }) => {
    const having = users.get(content) ?? [];
    const copies = new Set(having.map(({ digest }) => digest)).size;
    const functions = [...new Set(having.map((use) => use.function))].sort();
    return copies < 2 ? [] : [{ path, bytes, functions, copies }];
  });
}
