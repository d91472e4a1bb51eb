import { contentsOfBundle } from '../build/contents-of-bundle.ts';
import { inspectBundle } from '../build/inspect-bundle.ts';
import { SwiftletError } from '../model/errors.ts';
import { bundle as limits } from '../model/limits.ts';
import type { Blobs, StagedBlob } from './blobs.ts';
import { handlerFiles } from './handler-file.ts';
import type { Store } from './store.ts';
import type { Turns } from './turns.ts';

export interface UploadMeans {
  readonly store: Store;
  readonly blobs: Blobs;
  /** See `CollectMeans`. */
  readonly artifactTurns: Turns;
  readonly now: () => number;
}

export interface Uploaded {
  readonly digest: string;
  readonly size: number;
  /** False when it was here already. */
  readonly created: boolean;
}

/**
 * Takes an artifact in: whole, checked and on disk, or not at all.
 * @throws SwiftletError BundleRejected, RequestTooLarge, StorageFull
 */
export async function upload(
  { store, blobs, artifactTurns, now }: UploadMeans,
  tenant: string,
  digest: string,
  body: AsyncIterable<Uint8Array>,
): Promise<Uploaded> {
  await using staged = await blobs.stage(body, limits.packedBytes);
  if (staged.digest !== digest) {
    throw new SwiftletError(
      'BundleRejected',
      `the bundle is refused: its SHA-256 is ${staged.digest}, not ${digest}; send it again whole`,
      { place: 'digest' },
    );
  }
  return await keep({ store, blobs, artifactTurns, now }, tenant, staged);
}

/**
 * The same for a bundle that is made here, whose digest nobody knows before it is.
 * @throws as `upload`, and what the body throws
 */
export async function uploadMade(means: UploadMeans, tenant: string, body: AsyncIterable<Uint8Array>): Promise<Uploaded> {
  await using staged = await means.blobs.stage(body, limits.packedBytes);
  return await keep(means, tenant, staged);
}

async function keep({ store, artifactTurns, now }: UploadMeans, tenant: string, staged: StagedBlob): Promise<Uploaded> {
  const { digest, size } = staged;
  const found = await inspectBundle(staged.open());
  const files = handlerFiles(found.files.map(({ name }) => name));
  const contents = contentsOfBundle(found);
  return await artifactTurns.take(async () => {
    const known = (await store.findArtifact(tenant, digest)) !== undefined;
    const kept = await staged.keep();
    await store.addArtifact({ tenant, digest, size, files, contents }, now());
    return { digest, size, created: kept || !known };
  });
}
