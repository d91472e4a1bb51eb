import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type BundleFile } from './bundle-entry.ts';
import { type BundleLimits, bundleLimits } from './bundle-limits.ts';
import { hashed, readBundle } from './bundle.ts';
import type { FileSum } from './content-digest.ts';

/** What tells of other files: kept as it is. */
const telling = /^(?:package\.json|package-lock\.json|node_modules\/\.package-lock\.json)$|(?:^|\/)[^/]+\.dist-info\/RECORD$/;
/** Of one such file, and of all. */
const tellingBytes = 4 * 1024 * 1024;
const tellingTotalBytes = 16 * 1024 * 1024;

export interface InspectedBundle {
  /** In the order of the archive. */
  readonly files: readonly FileSum[];
  /** The contents of those that tell of others: npm's lists and those of Python's distributions, by path. */
  readonly texts: ReadonlyMap<string, string>;
}

/**
 * Reads a bundle without keeping it, as `checkBundle` does, and says what is in it.
 * @throws SwiftletError BundleRejected
 */
export async function inspectBundle(source: Readable, limits: BundleLimits = bundleLimits): Promise<InspectedBundle> {
  const files: FileSum[] = [];
  const texts = new Map<string, string>();
  let room = tellingTotalBytes;
  const note = async ({ name, executable, size }: BundleFile, content: AsyncIterable<Buffer>) => {
    const hash = createHash('sha256');
    const isKept = telling.test(name) && size <= Math.min(tellingBytes, room);
    const kept: Buffer[] = [];
    for await (const chunk of hashed(content, hash)) if (isKept) kept.push(chunk);
    if (isKept) {
      room -= size;
      texts.set(name, Buffer.concat(kept).toString());
    }
    files.push({ name, executable, size, sha256: hash.digest('hex') });
  };
  await readBundle(source, note, limits);
  return { files, texts };
}
