/** Unpacked artifacts on this host, by digest. Each is unpacked once, whole or not at all, and kept while somebody may need it. */
import { createReadStream, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { unpackBundle } from '../build/bundle.ts';
import { SwiftletError } from '../model/errors.ts';

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

export class CodeCache {
  readonly #folder: string;
  readonly #source: ArtifactSource;
  readonly #now: () => number;
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
    for (const name of readdirSync(folder)) {
      if (/^[0-9a-f]{64}$/.test(name)) this.#placed.add(name);
      else rmSync(join(folder, name), { recursive: true, force: true });
    }
  }

  /** The folder of an artifact's files when it is here already. */
  placed(digest: string): string | undefined {
    return this.#placed.has(digest) ? join(this.#folder, digest) : undefined;
  }

  /** How long it took to place an artifact that is here already; 0 when it is not, or was placed by an earlier process. */
  placedInMs(digest: string): number {
    return this.#tookMs.get(digest) ?? 0;
  }

  /** The folder of an artifact's files, which is unpacked first if need be; once, however many ask. @throws SwiftletError */
  place(digest: string): Promise<string> {
    const here = this.placed(digest);
    if (here !== undefined) return Promise.resolve(here);
    const under = this.#placing.get(digest);
    if (under !== undefined) return under;
    const placing = this.#unpack(digest).finally(() => this.#placing.delete(digest));
    this.#placing.set(digest, placing);
    return placing;
  }

  /** Removes what is not among these digests. */
  async keepOnly(digests: ReadonlySet<string>): Promise<void> {
    for (const digest of this.#placed) {
      if (digests.has(digest)) continue;
      this.#placed.delete(digest);
      this.#tookMs.delete(digest);
      await rm(join(this.#folder, digest), { recursive: true, force: true });
    }
  }

  async #unpack(digest: string): Promise<string> {
    const staging = join(this.#folder, `${digest}.new`);
    const folder = join(this.#folder, digest);
    const began = this.#now();
    try {
      await rm(staging, { recursive: true, force: true });
      await mkdir(staging, { mode: 0o755 });
      await unpackBundle(await this.#source.open(digest), staging);
      await rename(staging, folder);
      this.#placed.add(digest);
      this.#tookMs.set(digest, this.#now() - began);
      return folder;
    } catch (error) {
      await rm(staging, { recursive: true, force: true });
      throw placeError(error);
    }
  }
}

function placeError(error: unknown): unknown {
  const isFull = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  if (!isFull) return error;
  return new SwiftletError('StorageFull', 'the disk that holds unpacked code is full; free some space below SWIFTLET_HOME/agent', {
    cause: error,
  });
}
