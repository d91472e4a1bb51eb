/** Installed dependencies by what decides them, of each tenant for itself: none learns from a time what another has. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { SwiftletError } from '../../model/errors.ts';
import { bundle, keptDependencies } from '../../model/limits.ts';

const stagingName = '.staging';

/** A bundle of dependencies that is being written. Disposing drops it; after `keep` that does nothing. */
export interface StagedDependencies extends AsyncDisposable {
  /** @throws SwiftletError BundleRejected above the limit of a bundle, StorageFull */
  write(chunk: Buffer): Promise<void>;
  /** Reads what was written. */
  open(): Readable;
  /** Puts it where it is found from now on, whole. @returns its path */
  keep(): Promise<string>;
}

export class DependencyCache {
  readonly #folder: string;
  /** Milliseconds since 1970. */
  readonly #now: () => number;

  private constructor(folder: string, now: () => number) {
    this.#folder = folder;
    this.#now = now;
  }

  /** @param folder of its own; made when it is missing. What was being written when the last owner died is removed. */
  static async open(folder: string, now: () => number): Promise<DependencyCache> {
    await rm(join(folder, stagingName), { recursive: true, force: true });
    await mkdir(join(folder, stagingName), { recursive: true, mode: 0o700 });
    return new DependencyCache(folder, now);
  }

  /** @param key hexadecimal @returns the path of a bundle, which is only to be read; undefined when there is none */
  async find(tenant: string, key: string): Promise<string | undefined> {
    const path = this.#pathOf(tenant, key);
    const used = new Date(this.#now());
    return utimes(path, used, used).then(
      () => path,
      () => undefined,
    );
  }

  async stage(tenant: string, key: string): Promise<StagedDependencies> {
    const path = join(this.#folder, stagingName, randomUUID());
    const file = await open(path, 'wx', 0o600);
    let bytes = 0;
    return {
      write: async (chunk) => {
        bytes += chunk.length;
        if (bytes > bundle.packedBytes)
          throw new SwiftletError('BundleRejected', `the dependencies are over ${bundle.packedBytes} bytes, packed; install less`);
        await writeAll(file, chunk).catch((error: unknown) => {
          throw storageError(error);
        });
      },
      open: () => createReadStream(path),
      keep: async () => {
        const target = this.#pathOf(tenant, key);
        await file.sync();
        await mkdir(dirname(target), { recursive: true, mode: 0o700 });
        await rename(path, target);
        await this.#dropOld(dirname(target), target);
        return target;
      },
      async [Symbol.asyncDispose]() {
        await file.close();
        await rm(path, { force: true });
      },
    };
  }

  /** Drops all that a tenant has. */
  async forget(tenant: string): Promise<void> {
    await rm(join(this.#folder, tenant), { recursive: true, force: true });
  }

  #pathOf(tenant: string, key: string): string {
    return join(this.#folder, tenant, key);
  }

  /** @param kept stays, however large it is */
  async #dropOld(folder: string, kept: string): Promise<void> {
    const files = await Promise.all(
      (await readdir(folder)).map(async (name) => {
        const path = join(folder, name);
        const { mtimeMs, size } = await stat(path);
        return { path, mtimeMs, size };
      }),
    );
    for (const path of droppedOf(files, this.#now())) if (path !== kept) await rm(path, { force: true });
  }
}

interface KeptFile {
  readonly path: string;
  readonly mtimeMs: number;
  readonly size: number;
}

interface KeptLimits {
  readonly count: number;
  readonly bytes: number;
  /** Since the last use. */
  readonly ms: number;
}

/** What a tenant has too much, or unused for too long. Pure. @param now milliseconds since 1970 */
export function droppedOf(files: readonly KeptFile[], now: number, limits: KeptLimits = keptDependencies): string[] {
  let bytes = 0;
  return files
    .toSorted((a, b) => b.mtimeMs - a.mtimeMs)
    .flatMap(({ path, mtimeMs, size }, index) => {
      bytes += size;
      return index >= limits.count || bytes > limits.bytes || now - mtimeMs > limits.ms ? [path] : [];
    });
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
}

function storageError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new SwiftletError('StorageFull', 'the disk that holds built dependencies is full; free some space and deploy again', {
    cause: error,
  });
}
