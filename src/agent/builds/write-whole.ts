import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** All of it or nothing is there, whenever this process dies; sandboxes read it and the agent alone writes. */
export async function writeWhole(folder: string, files: ReadonlyMap<string, Buffer>): Promise<void> {
  const staging = `${folder}.new`;
  await rm(staging, { recursive: true, force: true });
  // The artifact's own folder is not made here: when it is gone nobody needs its bundle.
  for (const one of [dirname(folder), staging]) {
    await mkdir(one).catch(unlessThere);
    await chmod(one, 0o755);
  }
  try {
    for (const [name, content] of files) {
      await writeFile(join(staging, name), content, { mode: 0o600 });
      await chmod(join(staging, name), 0o444);
    }
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

function unlessThere(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}
