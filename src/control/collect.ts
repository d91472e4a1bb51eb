/** Takes back the space of what nobody needs any more: old versions, and artifacts without a version. */
import type { Logger } from 'pino';
import { keptVersions } from '../model/limits.ts';
import type { Blobs } from './blobs.ts';
import { artifactGraceMs, versionsToDrop } from './retention.ts';
import type { Store } from './store.ts';
import { neededVersions } from './traffic.ts';
import type { Turns } from './turns.ts';

const everyMs = 10 * 60_000;

export interface CollectMeans {
  readonly store: Store;
  readonly blobs: Blobs;
  /** Shared with those who add artifacts: between a blob and its entry in the store nothing is collected. */
  readonly artifactTurns: Turns;
  readonly now: () => number;
}

/** Forgets a function's versions that are over the number kept. */
export async function collectVersions({ store }: Pick<CollectMeans, 'store'>, tenant: string, name: string): Promise<void> {
  const traffic = await store.traffic(tenant, name);
  if (traffic === undefined) return;
  const numbers = (await store.versions(tenant, name)).map((version) => version.number);
  const dropped = versionsToDrop(numbers, neededVersions(traffic), keptVersions);
  if (dropped.length > 0) await store.dropVersions(tenant, name, dropped);
}

/** Removes artifacts that no version needs, and blobs that no artifact stands for. */
export function collectArtifacts({ store, blobs, artifactTurns, now }: CollectMeans): Promise<void> {
  return artifactTurns.take(async () => {
    await store.dropArtifacts(now() - artifactGraceMs);
    const wanted = await store.digests();
    for (const digest of await blobs.digests()) if (!wanted.has(digest)) await blobs.remove(digest);
  });
}

/** Collects artifacts now and from time to time, until disposed. */
export function keepCollecting(means: CollectMeans, log: Logger): AsyncDisposable {
  let last = Promise.resolve();
  const collect = () => {
    last = collectArtifacts(means).catch((error: unknown) => log.error({ err: error }, 'artifacts could not be collected'));
  };
  collect();
  const timer = setInterval(collect, everyMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await last;
    },
  };
}
