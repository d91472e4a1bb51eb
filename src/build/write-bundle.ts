/** Making a bundle of files as they come. */
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';
import { compressionLevel } from './bundle.ts';
import type { BundleFile } from './bundle-entry.ts';

/** Adds a file, whose content has the size that is said. */
export type AddFile = (file: BundleFile, content: AsyncIterable<Buffer>) => Promise<void>;

/**
 * The same files in the same order give the same bytes. Nobody vouches for what is in it: it is to be checked as an upload is.
 * @param write adds the files, one after the other
 * @throws (by the stream) what `write` throws
 */
export async function* writeBundle(write: (add: AddFile) => Promise<void>): AsyncGenerator<Buffer, void> {
  const tar = pack();
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: compressionLevel } });
  const add: AddFile = async ({ name, executable, size }, content) => {
    const mode = executable ? 0o755 : 0o644;
    await fill(tar.entry({ name, mode, size, mtime: new Date(0), uid: 0, gid: 0, type: 'file' }), content);
  };
  const written = write(add)
    .then(() => tar.finalize())
    .catch((error: unknown) => {
      tar.destroy(error instanceof Error ? error : new Error(String(error)));
    });
  const piped = pipeline(tar, compress);
  // Its failure is learnt from below.
  piped.catch(() => undefined);
  try {
    for await (const chunk of compress) yield chunk as Buffer;
    await piped;
  } finally {
    tar.destroy();
    await written;
  }
}

async function fill(entry: ReturnType<Pack['entry']>, content: AsyncIterable<Buffer>): Promise<void> {
  // Nobody drains what was given up.
  const closed = new Promise<void>((resolve) => entry.once('close', () => resolve()));
  for await (const chunk of content) {
    if (entry.destroyed) throw new Error('the bundle was given up');
    if (!entry.write(chunk)) await Promise.race([new Promise<void>((resolve) => entry.once('drain', () => resolve())), closed]);
  }
  entry.end(undefined);
}
