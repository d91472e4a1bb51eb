/**
 * A package of Lambda's, a zip, as a bundle. Its entries are guarded as a bundle's are, with Lambda's limits, before a byte is unpacked; what comes
 * of it is checked once more, as any upload. The same files give the same bundle, whatever the zip's times and order.
 */
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { pack, type Pack } from 'tar-stream';
import { type Entry, fromBuffer, type ZipFile } from 'yauzl';
import { type BundleFile, entryGuard } from '../../build/bundle-entry.ts';
import { refusal } from '../../build/bundle-refusal.ts';
import { SwiftletError } from '../../model/errors.ts';
import { lambdaPackage } from '../../model/limits.ts';

const compressionLevel = 3;
/** Below this many bytes a high ratio hurts nobody. */
const ratioFromBytes = 16 * 1024 * 1024;
const leaveOut = 'leave out what the function does not need';
const encryptedFlag = 1;
/** Who made an entry, in the upper byte, when its attributes have a Unix mode in their upper half. */
const madeByUnix = 3;
const kindMask = 0o170000;
const kinds: Readonly<Record<number, string>> = { 0: 'file', 0o100000: 'file', 0o040000: 'directory', 0o120000: 'symlink' };
const permissionMask = 0o7777;

interface ZippedFile {
  readonly file: BundleFile;
  readonly entry: Entry;
}

/** @throws SwiftletError BundleRejected with the entry, the reason and the remedy */
export async function* bundleOfZip(zipped: Buffer): AsyncGenerator<Uint8Array> {
  const tar = pack();
  let zip: ZipFile | undefined;
  try {
    zip = await openZip(zipped);
    const files = await filesOf(zip, zipped.length);
    const compressed = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: compressionLevel } });
    const packed = pipeline(tar, compressed);
    const written = writeFiles(tar, zip, files);
    // Learnt from below, where they end the loop.
    for (const work of [packed, written]) work.catch(() => undefined);
    for await (const chunk of compressed) yield chunk as Buffer;
    await Promise.all([packed, written]);
  } catch (error) {
    if (error instanceof SwiftletError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw refusal('', `it is no zip, or damaged (${reason})`, 'zip it again', error);
  } finally {
    tar.destroy();
    zip?.close();
  }
}

const openZip = (bytes: Buffer): Promise<ZipFile> =>
  new Promise((resolve, reject) => {
    fromBuffer(bytes, { lazyEntries: true, autoClose: false, strictFileNames: true }, (error, zip) => {
      if (error === null) resolve(zip);
      else reject(error);
    });
  });

/** What it has, by name. */
function filesOf(zip: ZipFile, zippedBytes: number): Promise<ZippedFile[]> {
  const guard = entryGuard(lambdaPackage);
  const files: ZippedFile[] = [];
  let bytes = 0;
  const take = (entry: Entry) => {
    if ((entry.generalPurposeBitFlag & encryptedFlag) !== 0) throw refusal(entry.fileName, 'it is encrypted', 'zip it without a password');
    const file = guard({ name: entry.fileName, size: entry.uncompressedSize, ...kindOf(entry) });
    if (file !== undefined) files.push({ file, entry });
    bytes += entry.uncompressedSize;
    if (bytes > lambdaPackage.unpackedBytes) throw refusal('', `it unpacks to over ${lambdaPackage.unpackedBytes} bytes`, leaveOut);
    if (bytes > ratioFromBytes && bytes > zippedBytes * lambdaPackage.ratio)
      throw refusal('', `it unpacks to over ${lambdaPackage.ratio} times its size`, 'leave out files that are all alike');
  };
  return new Promise((resolve, reject) => {
    zip.on('entry', (entry: Entry) => {
      try {
        take(entry);
        zip.readEntry();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    zip.once('error', reject);
    zip.once('end', () => resolve(files.toSorted((one, other) => (one.file.name < other.file.name ? -1 : 1))));
    zip.readEntry();
  });
}

function kindOf({ fileName, versionMadeBy, externalFileAttributes }: Entry): { readonly type: string; readonly mode: number } {
  const isFolder = fileName.endsWith('/');
  const mode = versionMadeBy >>> 8 === madeByUnix ? externalFileAttributes >>> 16 : 0;
  const type = isFolder ? 'directory' : (kinds[mode & kindMask] ?? 'thing of another kind');
  return { type, mode: mode & permissionMask };
}

/** Content that is longer or shorter than its entry says ends it. */
async function writeFiles(tar: Pack, zip: ZipFile, files: readonly ZippedFile[]): Promise<void> {
  try {
    for (const { file, entry } of files) {
      const { name, size, executable } = file;
      const content = await contentOf(zip, entry);
      await pipeline(
        content,
        tar.entry({ name, size, mode: executable ? 0o755 : 0o644, mtime: new Date(0), uid: 0, gid: 0, type: 'file' }),
      );
    }
    tar.finalize();
  } catch (error) {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

const contentOf = (zip: ZipFile, entry: Entry): Promise<NodeJS.ReadableStream> =>
  new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error === null) resolve(stream);
      else reject(error);
    });
  });
