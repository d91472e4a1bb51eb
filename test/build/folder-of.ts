import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder with these files, until it is disposed of. @param name what it is called, where that means something */
export async function folderOf(
  files: Readonly<Record<string, string>>,
  name = 'shop',
): Promise<AsyncDisposable & { readonly path: string }> {
  const above = await mkdtemp(join(tmpdir(), 'swiftlet-test-'));
  const path = join(above, name);
  await mkdir(path);
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), text);
  }
  return { path, [Symbol.asyncDispose]: () => rm(above, { recursive: true, force: true }) };
}
