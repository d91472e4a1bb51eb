/** Which of the archives a bundle is, by its first bytes. An image of a file system is none: those are made by hosts, and mounted only when they were. */
import { Readable, type Transform } from 'node:stream';
import { constants, createZstdDecompress } from 'node:zlib';
import { refusal } from './bundle-refusal.ts';

/** The decompression's memory is at most 2 to the power of this; the level above needs 2 MiB. */
const maxWindowLog = 24;
const lz4Magic = 0x184d2204;
const squashfsMagic = 0x73717368;
const erofsMagic = 0xe0f5e1e2;
const erofsPlace = 1024;
const looksAt = erofsPlace + 4;

export interface Decompression {
  /** All that came, from its beginning. */
  readonly source: Readable;
  readonly stream: Transform;
  /** Bytes that were the archive's; what came beyond is something else. */
  readonly taken: () => number;
}

/**
 * Looks at a stream's beginning.
 * @param given is not to be read by anybody else from then on
 * @param signal ends the waiting for it
 * @throws SwiftletError BundleRejected for an image of a file system; what the stream fails with; the signal's reason
 */
export async function openDecompression(given: Readable, signal?: AbortSignal): Promise<Decompression> {
  const chunks = given[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  const head = await unlessGivenUp(firstBytes(chunks), signal);
  const magic = head.length >= 4 ? head.readUInt32LE(0) : 0;
  const isErofs = head.length >= looksAt && head.readUInt32LE(erofsPlace) === erofsMagic;
  if (magic === squashfsMagic || isErofs)
    throw refusal('', 'it is an image of a file system, which nobody but a host makes', 'pack it as an archive: tar in zstd or LZ4');
  const source = Readable.from(resumed(head, chunks), { objectMode: false });
  if (magic === lz4Magic) {
    // Loaded only where it is needed: it takes a native library.
    const { Lz4Decompress } = await import('./lz4.ts');
    const stream = new Lz4Decompress();
    return { source, stream, taken: () => stream.taken };
  }
  const stream = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: maxWindowLog } });
  return { source, stream, taken: () => stream.bytesWritten };
}

/** A stream that is destroyed may still be waited for by whoever reads it. */
async function unlessGivenUp<T>(awaited: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  const giveUp = () => reject(signal?.reason as Error);
  signal?.addEventListener('abort', giveUp);
  try {
    signal?.throwIfAborted();
    return await Promise.race([awaited, givenUp]);
  } finally {
    signal?.removeEventListener('abort', giveUp);
    // Nobody waits for it any more, should it fail.
    awaited.catch(() => undefined);
  }
}

async function firstBytes(chunks: AsyncIterator<Buffer, undefined>): Promise<Buffer> {
  const first: Buffer[] = [];
  let length = 0;
  while (length < looksAt) {
    const { done, value } = await chunks.next();
    if (done === true) break;
    first.push(value);
    length += value.length;
  }
  return Buffer.concat(first);
}

async function* resumed(head: Buffer, chunks: AsyncIterator<Buffer, undefined>): AsyncGenerator<Buffer> {
  try {
    yield head;
    for (;;) {
      const { done, value } = await chunks.next();
      if (done === true) return;
      yield value;
    }
  } finally {
    await chunks.return?.();
  }
}
