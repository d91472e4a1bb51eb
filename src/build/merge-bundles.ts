/** One bundle of two. */
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { type Pack, pack } from 'tar-stream';
import { compressionLevel, readBundle } from './bundle.ts';
import type { BundleFile } from './bundle-entry.ts';
import { refusal } from './bundle-refusal.ts';
import type { Installation } from './installation.ts';

/**
 * A function's own files with its dependencies beside them. The same two give the same bytes. Nobody vouches for the whole: it is to be
 * checked as an upload is.
 * @param own opens a bundle when it is to be read
 * @param modules the same, of one that has the installation's folder and nothing else
 * @param installation what is there for it alone is left out
 * @throws (by the stream) SwiftletError BundleRejected when one of them is damaged, or the second has anything else
 */
export async function* mergeBundles(
  own: () => Readable,
  modules: () => Readable,
  { makes, isOnlyForIt }: Pick<Installation, 'makes' | 'isOnlyForIt'>,
): AsyncGenerator<Buffer, void> {
  const tar = pack();
  const compress = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: compressionLevel } });
  const add = async ({ name, executable, size }: BundleFile, content: AsyncIterable<Buffer>) => {
    const mode = executable ? 0o755 : 0o644;
    await fill(tar.entry({ name, mode, size, mtime: new Date(0), uid: 0, gid: 0, type: 'file' }), content);
  };
  const write = async () => {
    await readBundle(own(), (file, content) => (isOnlyForIt(file.name) ? drain(content) : add(file, content)));
    await readBundle(modules(), (file, content) => {
      if (!file.name.startsWith(`${makes}/`)) throw refusal(file.name, 'it is none of the dependencies', 'install them again');
      return add(file, content);
    });
    tar.finalize();
  };
  const written = write().catch((error: unknown) => {
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

const drain = (content: AsyncIterable<Buffer>): Promise<void> => finished(Readable.from(content).resume());

async function fill(entry: ReturnType<Pack['entry']>, content: AsyncIterable<Buffer>): Promise<void> {
  // Nobody drains what was given up.
  const closed = new Promise<void>((resolve) => entry.once('close', () => resolve()));
  for await (const chunk of content) {
    if (entry.destroyed) throw new Error('the bundle was given up');
    if (!entry.write(chunk)) await Promise.race([new Promise<void>((resolve) => entry.once('drain', () => resolve())), closed]);
  }
  entry.end(undefined);
}
