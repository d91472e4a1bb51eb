import { constants } from 'node:fs';
import { copyFile, link, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Makes a folder's files appear in another, without copying them where the file system allows it, in the place of those that have their names
 * there. Neither may hold links.
 */
export async function linkFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) await linkFolder(source, target);
    else await link(source, target).catch((error: unknown) => replace(source, target, error));
  }
}

/** Never written into what is there: it is linked from somewhere, and is somebody else's file, too. */
async function replace(source: string, target: string, error: unknown): Promise<void> {
  if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
    await rm(target);
    await linkFile(source, target);
  } else await copyFile(source, target, constants.COPYFILE_FICLONE);
}

const linkFile = (source: string, target: string): Promise<void> =>
  link(source, target).catch(() => copyFile(source, target, constants.COPYFILE_FICLONE));
