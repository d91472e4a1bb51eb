/** The bundle: what an artifact is made of. A tar archive in zstd, read as a stream and refused at the first thing that is wrong. */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, stat, realpath, chmod } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { SwiftletError } from '../model/errors.ts';
import { bundle as limits } from '../model/limits.ts';
import { type BundleFile, entryGuard } from './bundle-entry.ts';

export const bundleMediaType = 'application/vnd.swiftlet.bundle';

const compressionLevel = 3;

export interface PackedBundle {
  readonly bytes: Buffer;
  /** SHA-256 of the bytes, in hex. */
  readonly digest: string;
  /** Paths in it, sorted. */
  readonly files: readonly string[];
}

/**
 * Packs a folder so that the same files give the same bytes: sorted, without times or owners, modes 0644 and 0755.
 * @param isExcluded called with paths relative to the folder, with `/`; a folder that is excluded is not entered
 * @throws SwiftletError BundleRejected for a link that leaves the folder, or a folder over the limits
 */
export async function packBundle(folder: string, isExcluded: (path: string) => boolean = () => false): Promise<PackedBundle> {
  const root = await realpath(folder);
  const files = (await listFiles(root, root, isExcluded)).sort((a, b) => (a < b ? -1 : 1));
  if (files.length > limits.entries) throw tooMany();
  const tar = pack();
  const compressed = tar.pipe(createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: compressionLevel } }));
  const chunks: Buffer[] = [];
  const collected = (async () => {
    for await (const chunk of compressed) chunks.push(chunk as Buffer);
  })();
  for (const path of files) {
    const source = join(root, path);
    const executable = ((await stat(source)).mode & 0o100) !== 0;
    tar.entry({ name: path, mode: executable ? 0o755 : 0o644, mtime: new Date(0), uid: 0, gid: 0, type: 'file' }, await readFile(source));
  }
  tar.finalize();
  await collected;
  const bytes = Buffer.concat(chunks);
  return { bytes, digest: createHash('sha256').update(bytes).digest('hex'), files };
}

async function listFiles(root: string, folder: string, isExcluded: (path: string) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const name = relative(root, path).split(sep).join('/');
    if (isExcluded(name)) continue;
    const target = entry.isSymbolicLink() ? await insideTarget(root, path, name) : path;
    const facts = await stat(target);
    if (facts.isDirectory() && !entry.isSymbolicLink()) found.push(...(await listFiles(root, path, isExcluded)));
    else if (facts.isFile()) found.push(name);
    else if (!facts.isDirectory()) throw new SwiftletError('BundleRejected', `"${name}" is neither a file nor a folder; exclude it`, { place: name });
  }
  return found;
}

async function insideTarget(root: string, path: string, name: string): Promise<string> {
  const target = await realpath(path).catch(() => undefined);
  if (target?.startsWith(`${root}${sep}`) === true) return target;
  throw new SwiftletError('BundleRejected', `"${name}" is a link that leads out of the folder, or nowhere; replace it by what it points to, or exclude it`, { place: name });
}

/**
 * Reads a bundle to its end and calls back for every file.
 * @param onFile must consume the content
 * @throws SwiftletError BundleRejected with the entry, the reason and the remedy
 */
export async function readBundle(source: Readable, onFile: (file: BundleFile, content: AsyncIterable<Buffer>) => Promise<void>): Promise<void> {
  const guard = entryGuard();
  const sizes = sizeGuard();
  const entries = extract();
  const reading = pipeline(source, sizes.packed, createZstdDecompress(), sizes.unpacked, entries);
  // Its failure is learnt from below, where it also ends the loop.
  reading.catch(() => undefined);
  let ended = false;
  try {
    for await (const entry of entries) {
      const file = guard(entry.header);
      if (file === undefined) entry.resume();
      else await onFile(file, entry as AsyncIterable<Buffer>);
    }
    ended = true;
    await reading;
  } catch (error) {
    source.destroy();
    throw rejected(error, ended);
  }
}

/** Unpacks into an existing empty folder, readable by all and writable by none. The caller removes the folder when this fails. */
export async function unpackBundle(source: Readable, folder: string): Promise<void> {
  const made = new Set<string>();
  await readBundle(source, async (file, content) => {
    const path = join(folder, file.name);
    const parent = dirname(path);
    if (!made.has(parent)) {
      await mkdir(parent, { recursive: true, mode: 0o755 });
      made.add(parent);
    }
    await pipeline(content, createWriteStream(path, { flags: 'wx', mode: 0o644 }));
    await chmod(path, file.executable ? 0o555 : 0o444);
  });
}

/** Reads a bundle without keeping it. @returns the names of its files */
export async function checkBundle(source: Readable): Promise<string[]> {
  const names: string[] = [];
  await readBundle(source, async (file, content) => {
    names.push(file.name);
    for await (const _ of content);
  });
  return names;
}

function sizeGuard() {
  let packedBytes = 0;
  let unpackedBytes = 0;
  // A few kilobytes of zeros compress beyond any ratio and hurt nobody.
  const ratioFromBytes = 16 * 1024 * 1024;
  return {
    packed: new Transform({
      transform(chunk: Buffer, _encoding, next) {
        packedBytes += chunk.length;
        next(packedBytes > limits.packedBytes ? reject('', `it is over ${limits.packedBytes} bytes`, 'leave out what the function does not need') : null, chunk);
      },
    }),
    unpacked: new Transform({
      transform(chunk: Buffer, _encoding, next) {
        unpackedBytes += chunk.length;
        if (unpackedBytes > limits.unpackedBytes) next(reject('', `it unpacks to over ${limits.unpackedBytes} bytes`, 'leave out what the function does not need'));
        else if (unpackedBytes > ratioFromBytes && unpackedBytes > packedBytes * limits.ratio) next(reject('', `it unpacks to over ${limits.ratio} times its size`, 'a bundle is not a place for empty files'));
        else next(null, chunk);
      },
    }),
  };
}

const reject = (name: string, reason: string, remedy: string): SwiftletError =>
  new SwiftletError('BundleRejected', `the bundle${name === '' ? '' : `'s entry "${name}"`} is refused: ${reason}; ${remedy}`, name === '' ? {} : { place: name });

const tooMany = (): SwiftletError => reject('', `it has over ${limits.entries} files`, 'bundle the code into fewer files');

function rejected(error: unknown, ended: boolean): SwiftletError {
  if (error instanceof SwiftletError) return error;
  if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
    return new SwiftletError('StorageFull', 'the disk is full while a bundle was unpacked; free some space and deploy again', { cause: error });
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new SwiftletError('BundleRejected', `the bundle is refused: it is damaged or cut short (${reason})${ended ? ' after its last entry' : ''}; pack it again`, { cause: error });
}
