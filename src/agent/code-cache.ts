/** Unpacked artifacts on this host, by tenant and digest. Each is unpacked once, whole or not at all, and kept while somebody may need it. */
import { createReadStream, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { unpackBundle } from '../build/bundle.ts';
import { SwiftletError } from '../model/errors.ts';
import { nameSchema } from '../model/names.ts';

/** Where packed artifacts come from: control's folder on one machine, a store on several. */
export interface ArtifactSource {
  /** @throws SwiftletError Unavailable when it does not have the artifact */
  open(digest: string): Promise<Readable>;
}

/** Reads from the folder that control's blobs lie in. */
export const folderSource = (folder: string): ArtifactSource => ({
  open: (digest) =>
    new Promise((resolve, reject) => {
      const stream = createReadStream(join(folder, digest.slice(0, 2), digest));
      stream.once('open', () => resolve(stream));
      stream.once('error', (error) =>
        reject(
          new SwiftletError('Unavailable', `the code ${digest.slice(0, 12)} is not in the artifact store; deploy the function again`, {
            cause: error,
          }),
        ),
      );
    }),
});

/** Code as one tenant has it. What two tenants have alike lies there twice: neither learns from a time, or a page in memory, that it is so. */
export interface CodeRef {
  readonly tenant: string;
  readonly digest: string;
}

export const codeKey = ({ tenant, digest }: CodeRef): string => `${tenant}/${digest}`;

export class CodeCache {
  readonly #folder: string;
  readonly #source: ArtifactSource;
  readonly #now: () => number;
  /** By `codeKey`, which is also the path below the folder. */
  readonly #placed = new Set<string>();
  /** How long each took that this process placed. */
  readonly #tookMs = new Map<string, number>();
  readonly #placing = new Map<string, Promise<string>>();

  /** @param folder of its own; what is half unpacked in it from before is removed */
  constructor(folder: string, source: ArtifactSource, now: () => number) {
    this.#folder = folder;
    this.#source = source;
    this.#now = now;
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
    const key = codeKey(ref);
    return this.#placed.has(key) ? join(this.#folder, key) : undefined;
  }

  /** How long it took to place an artifact that is here already; 0 when it is not, or was placed by an earlier process. */
  placedInMs(ref: CodeRef): number {
    return this.#tookMs.get(codeKey(ref)) ?? 0;
  }

  /** The folder of an artifact's files, which is unpacked first if need be; once, however many ask. @throws SwiftletError */
  place(ref: CodeRef): Promise<string> {
    const here = this.placed(ref);
    if (here !== undefined) return Promise.resolve(here);
    const key = codeKey(ref);
    const under = this.#placing.get(key);
    if (under !== undefined) return under;
    const placing = this.#unpack(ref.digest, key).finally(() => this.#placing.delete(key));
    this.#placing.set(key, placing);
    return placing;
  }

  /** Removes what is not among these. @param keys as `codeKey` makes them */
  async keepOnly(keys: ReadonlySet<string>): Promise<void> {
    for (const key of this.#placed) {
      if (keys.has(key)) continue;
      this.#placed.delete(key);
      this.#tookMs.delete(key);
      await rm(join(this.#folder, key), { recursive: true, force: true });
    }
  }

  #find(tenant: string): void {
    const names = readdirSync(join(this.#folder, tenant));
    if (names.length === 0) rmdirSync(join(this.#folder, tenant));
    for (const name of names) {
      if (/^[0-9a-f]{64}$/.test(name)) this.#placed.add(codeKey({ tenant, digest: name }));
      else rmSync(join(this.#folder, tenant, name), { recursive: true, force: true });
    }
  }

  async #unpack(digest: string, key: string): Promise<string> {
    const folder = join(this.#folder, key);
    const staging = `${folder}.new`;
    const began = this.#now();
    try {
      await rm(staging, { recursive: true, force: true });
      await mkdir(dirname(staging), { recursive: true, mode: 0o755 });
      await mkdir(staging, { mode: 0o755 });
      await unpackBundle(await this.#source.open(digest), staging);
      await rename(staging, folder);
      this.#placed.add(key);
      this.#tookMs.set(key, this.#now() - began);
      return folder;
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      throw placeError(error);
    }
  }
}

/** Says of a full disk what it is. */
export function placeError(error: unknown): unknown {
  const isFull = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  if (!isFull) return error;
  return new SwiftletError('StorageFull', 'the disk that holds unpacked code is full; free some space below SWIFTLET_HOME/agent', {
    cause: error,
  });
}
