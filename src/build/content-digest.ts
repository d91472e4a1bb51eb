/** What a folder of unpacked files is known by: names, contents and which may be executed; no times, no owners. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { listFolder } from './bundle-folder.ts';

export interface FileSum {
  readonly name: string;
  readonly executable: boolean;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of its content, in hex. */
  readonly sha256: string;
}

export interface FolderSum {
  /** SHA-256 in hex. */
  readonly digest: string;
  /** Bytes of all files. */
  readonly bytes: number;
  /** How many these are. */
  readonly files: number;
}

/** @param files in any order */
export function sumOf(files: readonly FileSum[]): FolderSum {
  const hash = createHash('sha256');
  for (const { name, executable, size, sha256 } of files.toSorted((one, other) => (one.name < other.name ? -1 : 1)))
    hash.update(JSON.stringify([name, executable, size, sha256]));
  return { digest: hash.digest('hex'), bytes: files.reduce((sum, { size }) => sum + size, 0), files: files.length };
}

/**
 * Reads a folder as it lies on the disk.
 * @param isLeftOut called with paths relative to the folder, with `/` at the end of folders
 * @throws SwiftletError BundleRejected for what no bundle has, and what reading throws
 */
export async function sumFolder(folder: string, isLeftOut: (path: string) => boolean): Promise<FolderSum> {
  const files: FileSum[] = [];
  for (const { name, source, executable, size } of await listFolder(folder, isLeftOut)) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(source), hash);
    files.push({ name, executable, size, sha256: hash.digest('hex') });
  }
  return sumOf(files);
}
