import type { Contents, Needless, NeedlessKind, Part } from '../model/size.ts';
import { needlessKinds } from '../model/size.ts';
import { type FileSum, sumOf } from './content-digest.ts';
import type { InspectedBundle } from './inspect-bundle.ts';
import { needlessFinder } from './needless-files.ts';
import { type PartOfFile, partFinder } from './parts-of-bundle.ts';

/** What is smaller is not worth a word. */
const leastPartBytes = 16 * 1024;
const keptParts = 200;
const namedParts = 5;

interface Gathered extends Pick<PartOfFile, 'kind' | 'path'> {
  readonly files: FileSum[];
  needlessBytes: number;
}

/** What an artifact's files come to, by package and folder. A pure function of what is in it; what it returns is bounded. */
export function contentsOfBundle({ files, texts }: InspectedBundle): Contents {
  const partOf = partFinder(texts);
  const whyNeedless = needlessFinder(texts);
  const parts = new Map<string, Gathered>();
  const needless = new Map<NeedlessKind, FileSum[]>();
  const paths = new Map<string, string>();
  for (const file of files) {
    const of = partOf(file.name);
    const key = `${of.kind}:${of.path}`;
    const part = parts.get(key) ?? { kind: of.kind, path: of.path, files: [], needlessBytes: 0 };
    parts.set(key, part);
    part.files.push({ ...file, name: of.inner });
    const why = whyNeedless(of);
    if (why === undefined) continue;
    part.needlessBytes += file.size;
    paths.set(file.name, of.path);
    const known = needless.get(why);
    if (known === undefined) needless.set(why, [file]);
    else known.push(file);
  }
  const large = [...parts.values()].map(summed).filter(({ bytes }) => bytes >= leastPartBytes);
  return {
    bytes: bytesOf(files),
    files: files.length,
    parts: large.sort(byBytes).slice(0, keptParts),
    needless: needlessKinds.flatMap((why) => summary(why, needless.get(why), paths)),
  };
}

function summed({ kind, path, files, needlessBytes }: Gathered): Part {
  const { digest, bytes, files: count } = sumOf(files);
  return { path, kind, bytes, files: count, content: digest, needlessBytes };
}

function summary(why: NeedlessKind, files: readonly FileSum[] | undefined, paths: ReadonlyMap<string, string>): Needless[] {
  if (files === undefined) return [];
  const byPath = new Map<string, number>();
  for (const { name, size } of files) {
    const path = paths.get(name) ?? name;
    byPath.set(path, (byPath.get(path) ?? 0) + size);
  }
  const most = [...byPath].map(([path, bytes]) => ({ path, bytes })).sort(byBytes);
  return [{ why, bytes: bytesOf(files), files: files.length, paths: most.slice(0, namedParts).map(({ path }) => path) }];
}

const bytesOf = (files: readonly FileSum[]): number => files.reduce((sum, { size }) => sum + size, 0);

/** Of those of one size the order is that of their paths. */
const byBytes = (a: { readonly bytes: number; readonly path: string }, b: { readonly bytes: number; readonly path: string }): number =>
  b.bytes - a.bytes || (a.path < b.path ? -1 : 1);
