/**
 * Unpacked artifacts on this host, by tenant and digest. Each is unpacked once, whole or not at all, and kept while somebody may need it and
 * there is room. What an earlier process has left is used once it is found to be what was unpacked: a host that lost its power may have half of it.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { hashed } from '../build/bundle.ts';
import { type FolderSum, sumFolder } from '../build/content-digest.ts';
import { unpackBundle } from '../build/unpack-bundle.ts';
import { imageFor, type PlaceForm } from '../model/artifact-format.ts';
import { SwiftletError } from '../model/errors.ts';
import { nameSchema } from '../model/names.ts';
import { evictions } from './evictions.ts';
import { digestOf, type PlacedSum, readSum } from './placed-sum.ts';
import type { ArtifactSource } from './artifact-folder.ts';
import type { Images } from './linux/images.ts';

/** Code as one tenant has it. What two tenants have alike lies there twice: neither learns from a time, or a page in memory, that it is so. */
export interface CodeRef {
  readonly tenant: string;
  readonly digest: string;
}

export const codeKey = ({ tenant, digest }: CodeRef): string => `${tenant}/${digest}`;

/** In the folder of an artifact's files, what was made of them here: it comes and goes without being a part of the artifact. */
export const derivedFolder = '.swiftlet';

export interface CodeCacheLimit {
  /** Bytes of all that is unpacked; more only as far as it is in use. */
  readonly bytes: number;
  /** What must not go, as `codeKey` makes it. */
  readonly inUse: () => ReadonlySet<string>;
  /** Is told what has gone for want of room. */
  readonly evicted: (key: string) => void;
  /** Is told why a folder did not become an image. */
  readonly notMade: (why: string) => void;
}

const noLimit: CodeCacheLimit = { bytes: Infinity, inUse: () => new Set(), evicted: () => undefined, notMade: () => undefined };

/** How long a request waits for an image to be made: a folder is there already. */
const hasteMs = 2_000;

interface Placing {
  readonly done: Promise<string>;
  /** Somebody waits for it. */
  readonly hurry: () => void;
}

interface Placed {
  readonly bytes: number;
  usedAt: number;
  /** How long it took, when this process placed it. */
  readonly tookMs: number;
}

/** Beside an entry: its sum, its image, and what was made of its files where these cannot be written. */
const [sumEnding, imageEnding, derivedEnding] = ['.sum', '.img', '.derived'] as const;
const endings = [sumEnding, imageEnding, derivedEnding];

const noImages: Images = {
  kinds: [],
  make: () => Promise.reject(new Error('there are no images here')),
  mount: () => Promise.reject(new Error('there are no images here')),
  bind: () => Promise.reject(new Error('there are no images here')),
  unmount: () => undefined,
  unmountBelow: () => undefined,
};
const digestPattern = /^[0-9a-f]{64}$/;

export class CodeCache {
  readonly #folder: string;
  readonly #source: ArtifactSource;
  readonly #now: () => number;
  readonly #limit: CodeCacheLimit;
  readonly #images: Images;
  /** By `codeKey`, which is also the path below the folder. */
  readonly #placed = new Map<string, Placed>();
  /** From an earlier process, with what it was to be; nobody has looked at it yet. */
  readonly #unproven = new Map<string, PlacedSum>();
  /** Gone for want of room, and not asked for since. */
  readonly #evicted = new Set<string>();
  readonly #placing = new Map<string, Placing>();
  #removals = 0;
  /** What went for want of room is taken off the disk one after the other, and no request waits for it. */
  #clearing: Promise<unknown> = Promise.resolve();

  /** @param folder of its own; what is half unpacked in it from before is removed */
  constructor(folder: string, source: ArtifactSource, now: () => number, limit: CodeCacheLimit = noLimit, images: Images = noImages) {
    this.#folder = folder;
    this.#source = source;
    this.#now = now;
    this.#limit = limit;
    this.#images = images;
    // One that was killed has left them.
    images.unmountBelow(folder);
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    for (const tenant of readdirSync(folder)) {
      if (nameSchema.safeParse(tenant).success) this.#find(tenant);
      else rmSync(join(folder, tenant), { recursive: true, force: true });
    }
  }

  /** Where an artifact's files lie, or will lie. */
  pathOf(ref: CodeRef): string {
    return join(this.#folder, codeKey(ref));
  }

  /** The folder of an artifact's files when it is here already. */
  placed(ref: CodeRef): string | undefined {
    return this.#placed.has(codeKey(ref)) ? this.pathOf(ref) : undefined;
  }

  /** Whether it may be placed before anybody asks for it: not what went for want of room, nor when there is none. */
  hasRoomAhead(ref: CodeRef): boolean {
    return !this.#evicted.has(codeKey(ref)) && this.bytes < this.#limit.bytes;
  }

  /** All that is unpacked here and was looked at, as `codeKey` makes it. */
  get keys(): ReadonlySet<string> {
    return new Set(this.#placed.keys());
  }

  /** Bytes of all that is here. */
  get bytes(): number {
    let sum = 0;
    for (const entries of [this.#placed, this.#unproven]) for (const { bytes } of entries.values()) sum += bytes;
    return sum;
  }

  /** How long it took to place an artifact that is here already; 0 when it is not, or was placed by an earlier process. */
  placedInMs(ref: CodeRef): number {
    return this.#placed.get(codeKey(ref))?.tookMs ?? 0;
  }

  /**
   * The folder of an artifact's files, which is unpacked first if need be; once, however many ask.
   * @param form what it becomes when it is not here yet
   * @param isWaitedFor whether a request waits for it: then it becomes no image that takes long to be made
   * @throws SwiftletError
   */
  place(ref: CodeRef, form: PlaceForm = 'folder', isWaitedFor = false): Promise<string> {
    const key = codeKey(ref);
    const here = this.#placed.get(key);
    if (here !== undefined) {
      here.usedAt = this.#now();
      return Promise.resolve(this.pathOf(ref));
    }
    const placing = this.#placing.get(key) ?? this.#begin(ref.digest, key, form);
    if (isWaitedFor) placing.hurry();
    return placing.done;
  }

  #begin(digest: string, key: string, form: PlaceForm): Placing {
    const late = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const hurry = () => {
      timer ??= setTimeout(() => late.abort(new Error(`a request waits for the code, and has for ${hasteMs} ms`)), hasteMs);
    };
    const done = this.#place(digest, key, form, late.signal).finally(() => {
      clearTimeout(timer);
      this.#placing.delete(key);
    });
    const placing = { done, hurry };
    this.#placing.set(key, placing);
    return placing;
  }

  /** Removes what is not among these. @param keys as `codeKey` makes them */
  async keepOnly(keys: ReadonlySet<string>): Promise<void> {
    for (const key of this.#evicted) if (!keys.has(key)) this.#evicted.delete(key);
    for (const key of [...this.#placed.keys(), ...this.#unproven.keys()]) if (!keys.has(key)) await this.#remove(key);
  }

  /** Takes away what is mounted. What instances have of it stays with them. */
  close(): void {
    this.#images.unmountBelow(this.#folder);
  }

  #find(tenant: string): void {
    const names = readdirSync(join(this.#folder, tenant));
    if (names.length === 0) rmdirSync(join(this.#folder, tenant));
    // What has no sum is not known to be whole.
    const whole = new Set<string>();
    for (const name of names) {
      const sum = digestPattern.test(name) ? readSum(join(this.#folder, tenant, name) + sumEnding) : undefined;
      if (sum === undefined) continue;
      whole.add(name);
      this.#unproven.set(codeKey({ tenant, digest: name }), sum);
    }
    for (const name of names) if (!isOf(whole, name)) rmSync(join(this.#folder, tenant, name), { recursive: true, force: true });
  }

  /** @param late makes no image, or none any more, once it is aborted */
  async #place(digest: string, key: string, form: PlaceForm, late: AbortSignal): Promise<string> {
    const folder = join(this.#folder, key);
    const began = this.#now();
    this.#evicted.delete(key);
    const wanted = this.#unproven.get(key);
    const isWhole = wanted !== undefined && (await this.#isWhat(folder, wanted));
    this.#unproven.delete(key);
    const { bytes } = await this.#show(folder, isWhole ? wanted : await this.#unpack(digest, folder, form, late), digest);
    const usedAt = this.#now();
    this.#placed.set(key, { bytes, usedAt, tookMs: isWhole ? 0 : usedAt - began });
    this.#makeRoom(key);
    return folder;
  }

  async #unpack(digest: string, folder: string, form: PlaceForm, late?: AbortSignal): Promise<PlacedSum> {
    const staging = `${folder}.new`;
    try {
      // Also one that was found to be damaged.
      this.#images.unmount(folder);
      for (const path of [staging, ...partsOf(folder)]) await rm(path, { recursive: true, force: true });
      await mkdir(dirname(staging), { recursive: true, mode: 0o755 });
      await mkdir(staging, { mode: 0o755 });
      const hash = createHash('sha256');
      const packed = await this.#source.open(digest);
      const unpacked = await unpackBundle(Readable.from(hashed(packed, hash)), staging);
      if (hash.digest('hex') !== digest) throw damaged(digest);
      const sum = await this.#makeImage(staging, folder + imageEnding, unpacked, form, late);
      await writeFile(folder + sumEnding, JSON.stringify(sum), { mode: 0o600 });
      await rename(staging, folder);
      return sum;
    } catch (error) {
      for (const path of [staging, ...partsOf(folder)]) await rm(path, { recursive: true, force: true });
      throw placeError(error);
    }
  }

  /** Makes one of what was unpacked, if that pays, and empties the folder; else it stays as it is. */
  async #makeImage(
    staging: string,
    file: string,
    unpacked: FolderSum,
    form: PlaceForm,
    late = new AbortController().signal,
  ): Promise<PlacedSum> {
    const image = late.aborted ? undefined : imageFor(form, unpacked, this.#images.kinds);
    if (image === undefined) return { digest: unpacked.digest, bytes: unpacked.bytes };
    // There what is derived of the files is shown, which the image itself cannot take.
    await mkdir(join(staging, derivedFolder), { mode: 0o755 });
    try {
      await this.#images.make(image, staging, file, late);
    } catch (error) {
      this.#limit.notMade(`${image}: ${error instanceof Error ? error.message : String(error)}`);
      await rm(file, { force: true });
      await rm(join(staging, derivedFolder), { recursive: true });
      return { digest: unpacked.digest, bytes: unpacked.bytes };
    }
    await rm(staging, { recursive: true });
    await mkdir(staging, { mode: 0o755 });
    return { digest: await digestOf(file), bytes: (await stat(file)).size, image };
  }

  /** Mounts an image in its place. One that the kernel refuses is unpacked once more, and stays a folder. */
  async #show(folder: string, sum: PlacedSum, digest: string): Promise<PlacedSum> {
    if (sum.image === undefined) return sum;
    try {
      const derived = folder + derivedEnding;
      await mkdir(derived, { recursive: true, mode: 0o755 });
      await this.#images.mount(sum.image, folder + imageEnding, folder);
      await this.#images.bind(derived, join(folder, derivedFolder));
      return sum;
    } catch (error) {
      this.#limit.notMade(`${sum.image}: ${error instanceof Error ? error.message : String(error)}`);
      return this.#unpack(digest, folder, 'folder');
    }
  }

  /** What cannot be read, or not be mounted here any more, is not what it was. */
  #isWhat(folder: string, { digest, image }: PlacedSum): Promise<boolean> {
    if (image !== undefined && !this.#images.kinds.includes(image)) return Promise.resolve(false);
    const found =
      image === undefined
        ? sumFolder(folder, (path) => path === `${derivedFolder}/`).then((sum) => sum.digest)
        : digestOf(folder + imageEnding);
    return found.then(
      (one) => one === digest,
      () => false,
    );
  }

  /** @param kept was asked for just now */
  #makeRoom(kept: string): void {
    if (this.bytes <= this.#limit.bytes) return;
    const entries = [
      ...[...this.#unproven].map(([key, { bytes }]) => ({ key, bytes, usedAt: -Infinity })),
      ...[...this.#placed].map(([key, { bytes, usedAt }]) => ({ key, bytes, usedAt })),
    ];
    for (const key of evictions(entries, this.#limit.bytes, new Set([...this.#limit.inUse(), kept]))) {
      this.#evicted.add(key);
      this.#limit.evicted(key);
      const gone = this.#takeOut(key);
      // What is left of it goes when the cache is opened next.
      this.#clearing = this.#clearing.then(() => rm(gone, { recursive: true, force: true })).catch(() => undefined);
    }
  }

  async #remove(key: string): Promise<void> {
    await rm(this.#takeOut(key), { recursive: true, force: true });
  }

  /** @returns where its files lie now, which nobody uses any more */
  #takeOut(key: string): string {
    this.#placed.delete(key);
    this.#unproven.delete(key);
    const folder = join(this.#folder, key);
    this.#images.unmount(folder);
    this.#removals += 1;
    const gone = `${folder}.gone-${this.#removals}`;
    // At once, so that who places it meanwhile has the place for himself.
    if (existsSync(folder)) renameSync(folder, gone);
    for (const path of partsOf(folder)) rmSync(path, { recursive: true, force: true });
    return gone;
  }
}

/** All that an entry is. */
const partsOf = (folder: string): string[] => [folder, ...endings.map((ending) => folder + ending)];

/** @param whole digests */
const isOf = (whole: ReadonlySet<string>, name: string): boolean =>
  whole.has(name) || endings.some((ending) => name.endsWith(ending) && whole.has(name.slice(0, -ending.length)));

const damaged = (digest: string): SwiftletError =>
  new SwiftletError(
    'Unavailable',
    `the code ${digest.slice(0, 12)} is damaged in the artifact store: it is not what its digest says; deploy the function again`,
  );

/** Says of a full disk what it is. */
export function placeError(error: unknown): unknown {
  const isFull = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  if (!isFull) return error;
  return new SwiftletError('StorageFull', 'the disk that holds unpacked code is full; free some space below SWIFTLET_HOME/agent', {
    cause: error,
  });
}
