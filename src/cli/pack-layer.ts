/** The files of a layer: of a folder, a zip, or packages. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PackedBundle, packBundle } from '../build/bundle.ts';
import { installPackages, parsePackages } from '../build/layer-packages.ts';
import { bundleOfZip } from '../control/lambda/zip-bundle.ts';
import { SwiftletError } from '../model/errors.ts';

/**
 * @param files a folder or a zip; undefined: packages
 * @param from packages as `--from` names them
 * @throws SwiftletError BadRequest unless it is one of both; NotFound
 */
export async function packLayer(files: string | undefined, from: readonly string[], signal: AbortSignal): Promise<PackedBundle> {
  if ((files === undefined) === (from.length === 0))
    throw new SwiftletError('BadRequest', 'name a folder, a zip, or packages by --from: one of these');
  if (files === undefined) return packPackages(from, signal);
  const facts = await stat(files).catch(() => undefined);
  if (facts === undefined) throw new SwiftletError('NotFound', `there is no folder or zip ${files}`);
  if (facts.isDirectory()) return packBundle(files);
  const bytes = Buffer.concat(await Array.fromAsync(bundleOfZip(await readFile(files))));
  return { bytes, digest: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, files: [] };
}

async function packPackages(from: readonly string[], signal: AbortSignal): Promise<PackedBundle> {
  const packages = parsePackages(from);
  const folder = await mkdtemp(join(tmpdir(), 'swiftlet-layer-'));
  try {
    await installPackages(packages, folder, signal);
    return await packBundle(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
