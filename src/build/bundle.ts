/** The bundle: what an artifact is made of. A tar archive in zstd, read as a stream and refused at the first thing that is wrong. */
import { createHash, type Hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import type { ArchiveKind } from '../model/artifact-format.ts';
import { SwiftletError } from '../model/errors.ts';
import { type BundleFile, entryGuard, tooMany } from './bundle-entry.ts';
import { type FolderFile, listFolder } from './bundle-folder.ts';
import { bundleIgnore } from './bundle-ignore.ts';
import { type BundleLimits, bundleLimits } from './bundle-limits.ts';
import { refusal } from './bundle-refusal.ts';
import { sizeGuard } from './bundle-size.ts';
import { openDecompression } from './decompress.ts';

export const bundleMediaType = 'application/vnd.swiftlet.bundle';

export const compressionLevel = 3;
/** What is small takes no time whatever the level; of what is large each level costs the deploy more than it saves. */
const levels = [
  { below: 1024 * 1024, level: 9 },
  { below: 16 * 1024 * 1024, level: 6 },
] as const;

/** @param bytes of all files */
export const levelFor = (bytes: number): number => levels.find(({ below }) => bytes < below)?.level ?? compressionLevel;

export interface PackedBundle {
  readonly bytes: Buffer;
  /** SHA-256 of the bytes, in hex. */
  readonly digest: string;
  /** Bytes, packed. */
  readonly size: number;
  /** Paths in it, sorted. */
  readonly files: readonly string[];
}

/**
 * Packs a folder so that the same files give the same bytes: sorted, without times or owners, modes 0644 and 0755.
 * @param isExcluded as `bundleIgnore` makes it, which is also the default
 * @param kind of archive
 * @throws SwiftletError BundleRejected for a link that leaves the folder, or a folder over the limits
 */
export async function packBundle(
  folder: string,
  isExcluded?: (path: string) => boolean,
  limits: BundleLimits = bundleLimits,
  kind: ArchiveKind = 'zstd',
): Promise<PackedBundle> {
  const files = await listFolder(folder, isExcluded ?? (await bundleIgnore(folder)));
  checkFolder(files, limits);
  const tar = pack();
  const chunks: Buffer[] = [];
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const collect = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) chunks.push(chunk);
  };
  const compressed =
    kind === 'zstd'
      ? pipeline(tar, createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: levelFor(total) } }), collect)
      : pipeline(tar, collect);
  // Learnt from below; a file that cannot be read ends the packing before.
  compressed.catch(() => undefined);
  try {
    for (const { name, source, executable } of files) {
      tar.entry({ name, mode: executable ? 0o755 : 0o644, mtime: new Date(0), uid: 0, gid: 0, type: 'file' }, await readFile(source));
    }
    tar.finalize();
    await compressed;
  } finally {
    tar.destroy();
  }
  const bytes = kind === 'zstd' ? Buffer.concat(chunks) : await inLz4(Buffer.concat(chunks));
  if (bytes.length > limits.packedBytes)
    throw refusal('', `it is over ${limits.packedBytes} bytes`, 'leave out what the function does not need');
  return { bytes, digest: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, files: files.map((file) => file.name) };
}

/** Loaded only where it is needed: it takes a native library, which a build's sandbox has not. */
async function inLz4(bytes: Buffer): Promise<Buffer> {
  const { compressLz4 } = await import('./lz4.ts');
  return compressLz4(bytes);
}

/** What would be refused at the door is refused before it is read. */
function checkFolder(files: readonly FolderFile[], limits: BundleLimits): void {
  if (files.length > limits.entries) throw tooMany(limits.entries);
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes > limits.unpackedBytes)
    throw refusal('', `it unpacks to over ${limits.unpackedBytes} bytes`, 'leave out what the function does not need');
  const guard = entryGuard(limits);
  for (const { name, size } of files) guard({ name, size, type: 'file', mode: 0o644 });
}

/**
 * Reads a bundle to its end and calls back for every file.
 * @param onFile must consume the content
 * @throws SwiftletError BundleRejected with the entry, the reason and the remedy; StorageFull when `onFile` met a full disk
 */
export async function readBundle(
  source: Readable,
  onFile: (file: BundleFile, content: AsyncIterable<Buffer>) => Promise<void>,
  limits: BundleLimits = bundleLimits,
  signal?: AbortSignal,
): Promise<void> {
  const guard = entryGuard(limits);
  const sizes = sizeGuard(limits);
  const entries = extract();
  const {
    source: whole,
    stream: decompress,
    taken,
  } = await openDecompression(source, signal).catch((error: unknown) => {
    source.destroy();
    signal?.throwIfAborted();
    throw rejected(error);
  });
  const reading = pipeline(whole, sizes.packed, decompress, sizes.unpacked, entries, signal === undefined ? {} : { signal });
  // Its failure is learnt from below, where it also ends the loop.
  reading.catch(() => undefined);
  try {
    for await (const entry of entries) {
      const file = guard(entry.header);
      if (file === undefined) entry.resume();
      else await onFile(file, entry as AsyncIterable<Buffer>);
    }
    await reading;
    sizes.checkEnd(taken());
  } catch (error) {
    whole.destroy();
    source.destroy();
    signal?.throwIfAborted();
    throw rejected(error);
  }
}

/** Passes on what it hashes. */
export async function* hashed(chunks: AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

/**
 * Reads a bundle without keeping it.
 * @returns the names of its files
 * @throws SwiftletError BundleRejected
 */
export async function checkBundle(source: Readable, limits: BundleLimits = bundleLimits, signal?: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  const note = async ({ name }: BundleFile, content: AsyncIterable<Buffer>) => {
    names.push(name);
    await finished(Readable.from(content).resume());
  };
  await readBundle(source, note, limits, signal);
  return names;
}

/** What is said of a bundle that could not be read, or not be put anywhere. */
export function rejected(error: unknown): SwiftletError {
  if (error instanceof SwiftletError) return error;
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
    return new SwiftletError('StorageFull', 'the disk is full while a bundle was unpacked; free some space and deploy again', {
      cause: error,
    });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return refusal('', `it is damaged or cut short (${reason})`, 'pack it again', error);
}
