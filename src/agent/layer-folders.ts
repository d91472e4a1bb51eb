/**
 * What versions have at `/opt`: the files of their layers. One layer is shown as it was unpacked; several are one folder of hard links, in
 * which the last layer's file counts where two have one of the same name. So a start mounts one folder, however many layers there are, and a
 * file lies on the disk, and in the page cache, once for all that use it.
 */
import { createHash } from 'node:crypto';
import { constants, existsSync, readdirSync, rmSync } from 'node:fs';
import { chmod, copyFile, link, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Version } from '../model/function.ts';
import { type CodeCache, codeKey, type CodeRef, placeError } from './code-cache.ts';

interface Built {
  readonly tenant: string;
  readonly layerDigests?: readonly string[] | undefined;
}

/** The artifacts of a version's layers. */
export const layerRefs = ({ tenant, layerDigests = [] }: Built): CodeRef[] => layerDigests.map((digest) => ({ tenant, digest }));

/** What the sandboxes of a version's custom pool build on, which may be less than the version does. */
export const poolBuilt = ({ tenant, pool }: Version): Built[] => (pool === undefined ? [] : [{ tenant, layerDigests: pool.layerDigests }]);

export class LayerFolders {
  readonly #folder: string;
  readonly #code: Pick<CodeCache, 'place' | 'placed' | 'pathOf'>;
  readonly #merging = new Map<string, Promise<string>>();

  /** @param folder of its own, in the file system of the code; what is half made in it from before is removed */
  constructor(folder: string, code: Pick<CodeCache, 'place' | 'placed' | 'pathOf'>) {
    this.#folder = folder;
    this.#code = code;
    if (!existsSync(folder)) return;
    for (const tenant of readdirSync(folder))
      for (const name of readdirSync(join(folder, tenant)))
        if (name.endsWith(staging)) rmSync(join(folder, tenant, name), { recursive: true, force: true });
  }

  /** Where a version's layers lie, or will lie once they are placed; undefined: it has none. */
  pathOf(version: Built): string | undefined {
    const [only, ...others] = layerRefs(version);
    if (only === undefined) return undefined;
    return others.length === 0 ? this.#code.pathOf(only) : join(this.#folder, mergedKey(version));
  }

  /** The same, once they are there; at once when they are there already. @throws as `CodeCache.place` */
  place(version: Built): Promise<string | undefined> {
    const refs = layerRefs(version);
    const [only, ...others] = refs;
    if (only === undefined) return Promise.resolve(undefined);
    if (others.length === 0) return this.#code.place(only);
    const key = mergedKey(version);
    const under = this.#merging.get(key);
    if (under !== undefined) return under;
    const merging = this.#place(key, refs).finally(() => this.#merging.delete(key));
    this.#merging.set(key, merging);
    return merging;
  }

  /** Removes what is of no such version. Mounts of it live on. */
  async keepOnly(versions: Iterable<Built>): Promise<void> {
    if (!existsSync(this.#folder)) return;
    const keys = new Set([...versions].map(mergedKey));
    for (const tenant of await readdir(this.#folder))
      for (const name of await readdir(join(this.#folder, tenant))) {
        const key = `${tenant}/${name}`;
        if (!keys.has(key) && !name.endsWith(staging)) await rm(join(this.#folder, key), { recursive: true, force: true });
      }
  }

  async #place(key: string, refs: readonly CodeRef[]): Promise<string> {
    const folder = join(this.#folder, key);
    if (existsSync(folder)) return folder;
    const layers = await Promise.all(refs.map((ref) => this.#code.place(ref)));
    const half = folder + staging;
    try {
      await rm(half, { recursive: true, force: true });
      await makeFolder(dirname(half));
      await makeFolder(half);
      // The last one first: what is there already is what counts.
      for (const layer of layers.toReversed()) await linkMissing(layer, half);
      await rename(half, folder);
      return folder;
    } catch (error) {
      await rm(half, { recursive: true, force: true });
      throw placeError(error);
    }
  }
}

const staging = '.new';

/** Which layers, in which order. */
const mergedKey = (version: Built): string => {
  const digests = layerRefs(version).map(({ digest }) => digest);
  return codeKey({ tenant: version.tenant, digest: createHash('sha256').update(digests.join(' ')).digest('hex') });
};

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  // The mode given to mkdir would be cut by the umask.
  await chmod(path, 0o755);
}

/** Links a folder's files into another, where nothing has their name. */
async function linkMissing(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (!entry.isDirectory()) await linkFile(source, target);
    else if (await mayEnter(target)) await linkMissing(source, target);
  }
}

/** A copy, where the file system has no links, or another one lies between. */
async function linkFile(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    if (isThere(error)) return;
    await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch(unlessThere);
  }
}

/** False where a file lies in a folder's place. */
async function mayEnter(path: string): Promise<boolean> {
  try {
    await mkdir(path);
    await chmod(path, 0o755);
    return true;
  } catch (error) {
    unlessThere(error);
    return readdir(path).then(
      () => true,
      () => false,
    );
  }
}

const isThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST';

function unlessThere(error: unknown): void {
  if (!isThere(error)) throw error;
}
