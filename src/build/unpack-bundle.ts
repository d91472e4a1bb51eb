import { createHash, hash as hashOf } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BundleFile } from './bundle-entry.ts';
import { bundleLimits } from './bundle-limits.ts';
import { hashed, readBundle, rejected } from './bundle.ts';
import { type FileSum, type FolderSum, sumOf } from './content-digest.ts';
import { boundedWork } from './bounded-work.ts';

/** What is smaller is written at once, and while the next ones are read: of thousands of files each step counts. */
const smallBytes = 512 * 1024;
const writesAtOnce = 8;
const permissions = 0o777;
const folderMode = 0o755;

/**
 * Unpacks into an existing empty folder: files 0444 or 0555, folders 0755, so that all may read and only the owner may remove.
 * Nothing is ever written outside of it, and nothing any more when this is over. The caller removes the folder when this fails.
 * @returns what was written, as `sumFolder` finds it again
 * @throws as readBundle
 */
export async function unpackBundle(source: Readable, folder: string, signal?: AbortSignal): Promise<FolderSum> {
  const files: FileSum[] = [];
  const setMode = modeSetter();
  const makeFolder = folderMaker(folder, setMode);
  await using writes = boundedWork(writesAtOnce);
  const write = async ({ name, executable, size }: BundleFile, content: AsyncIterable<Buffer>) => {
    await makeFolder(dirname(name));
    const path = join(folder, name);
    const mode = executable ? 0o555 : 0o444;
    const note = (sha256: string) => files.push({ name, executable, size, sha256 });
    if (size > smallBytes) {
      const hash = createHash('sha256');
      await pipeline(content, (chunks) => hashed(chunks, hash), createWriteStream(path, { flags: 'wx', mode }));
      await setMode(path, mode);
      note(hash.digest('hex'));
      return;
    }
    const whole = await wholeOf(content);
    note(hashOf('sha256', whole));
    await writes.add(async () => {
      await writeFile(path, whole, { flag: 'wx', mode });
      await setMode(path, mode);
    });
  };
  await readBundle(source, write, bundleLimits, signal);
  await writes.done().catch((error: unknown) => {
    throw rejected(error);
  });
  return sumOf(files);
}

/** The mode that something is made with is cut by the umask, which nobody can ask for without changing it. */
function modeSetter(): (path: string, mode: number) => Promise<void> {
  const cut = new Map<number, boolean>();
  return async (path, mode) => {
    const isCut = cut.get(mode) ?? ((await stat(path)).mode & permissions) !== mode;
    cut.set(mode, isCut);
    if (isCut) await chmod(path, mode);
  };
}

function folderMaker(folder: string, setMode: (path: string, mode: number) => Promise<void>): (name: string) => Promise<void> {
  const made = new Set<string>(['.']);
  return async function make(name) {
    if (made.has(name)) return;
    await make(dirname(name));
    made.add(name);
    const path = join(folder, name);
    await mkdir(path, { mode: folderMode });
    await setMode(path, folderMode);
  };
}

async function wholeOf(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of content) chunks.push(chunk);
  const [only] = chunks;
  return only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
}
