import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { SwiftletError } from '../model/errors.ts';
import type { BlobPiece, Blobs, StagedBlob } from './blobs.ts';

/** In the same file system as what is kept, so that keeping is a rename. */
const stagingName = 'staging';
const digestPattern = /^[0-9a-f]{64}$/;

function unlessThere(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}

/** Blobs as files `<folder>/<first two digits>/<digest>`. */
export class FolderBlobs implements Blobs {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param folder of its own; made when it is missing. What was being staged when the last owner died is removed. */
  static async open(folder: string): Promise<FolderBlobs> {
    await rm(join(folder, stagingName), { recursive: true, force: true });
    // Not `recursive`: below a folder that was removed meanwhile, Node.js would try for ever.
    await mkdir(folder, { mode: 0o700 }).catch(unlessThere);
    await mkdir(join(folder, stagingName), { mode: 0o700 });
    return new FolderBlobs(folder);
  }

  async stage(source: AsyncIterable<Uint8Array>, limitBytes: number): Promise<StagedBlob> {
    const path = join(this.#folder, stagingName, randomUUID());
    try {
      return this.#staged(path, await write(path, source, limitBytes));
    } catch (error) {
      await rm(path, { force: true });
      throw blobError(error);
    }
  }

  has(digest: string): Promise<boolean> {
    return access(this.#pathOf(digest)).then(
      () => true,
      () => false,
    );
  }

  open(digest: string, piece?: BlobPiece): Readable {
    const path = this.#pathOf(digest);
    return piece === undefined
      ? createReadStream(path)
      : createReadStream(path, { start: piece.fromByte, end: piece.fromByte + piece.bytes - 1 });
  }

  async remove(digest: string): Promise<void> {
    await rm(this.#pathOf(digest), { force: true });
  }

  async digests(): Promise<string[]> {
    const names = await readdir(this.#folder, { recursive: true });
    return names.map((name) => name.slice(name.lastIndexOf('/') + 1)).filter((name) => digestPattern.test(name));
  }

  #pathOf(digest: string): string {
    if (!digestPattern.test(digest)) throw new TypeError('a blob is named by its digest');
    return join(this.#folder, digest.slice(0, 2), digest);
  }

  #staged(path: string, { digest, size }: { digest: string; size: number }): StagedBlob {
    return {
      digest,
      size,
      open: () => createReadStream(path),
      keep: () => this.#keep(path, digest),
      [Symbol.asyncDispose]: () => rm(path, { force: true }),
    };
  }

  async #keep(path: string, digest: string): Promise<boolean> {
    const target = this.#pathOf(digest);
    const shelf = join(this.#folder, digest.slice(0, 2));
    try {
      // The same work for what is here already: nobody learns from the time whether somebody else has it.
      const isKnown = await this.has(digest);
      await mkdir(shelf, { recursive: true, mode: 0o700 });
      await rename(path, target);
      await sync(shelf);
      await sync(this.#folder);
      return !isKnown;
    } catch (error) {
      throw blobError(error);
    }
  }
}

async function write(path: string, source: AsyncIterable<Uint8Array>, limitBytes: number): Promise<{ digest: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  await using file = await open(path, 'wx', 0o600);
  for await (const chunk of source) {
    size += chunk.length;
    if (size > limitBytes)
      throw new SwiftletError('RequestTooLarge', `the upload is over ${limitBytes} bytes; leave out what is not needed`);
    hash.update(chunk);
    await writeAll(file, chunk);
  }
  await file.sync();
  return { digest: hash.digest('hex'), size };
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
}

/** A rename is on disk once its folder is. */
async function sync(folder: string): Promise<void> {
  await using handle = await open(folder);
  await handle.sync();
}

function blobError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new SwiftletError('StorageFull', 'the disk that holds the artifacts is full; free some space and send it again', { cause: error });
}
