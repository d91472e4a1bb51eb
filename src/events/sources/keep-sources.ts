/** The sources of the events role are wired here. */
import type { Registry } from 'prom-client';
import { Places } from './places.ts';
import { type KeeperMeans, SourceKeeper } from './source-keeper.ts';
import { SourceMetrics } from './source-metrics.ts';
import type { SourceStore } from './source-store.ts';

/** Invocations of all sources at once. */
const invocationsAtOnce = 64;

export interface SourcesMeans extends Omit<KeeperMeans, 'store' | 'places' | 'counted' | 'followed'> {
  readonly registry: Registry;
}

/** Nothing is consumed before the functions are known: see `SourceKeeper.follow`. */
export async function keepSources(store: SourceStore, { registry, ...means }: SourcesMeans): Promise<SourceKeeper> {
  const metrics = new SourceMetrics(registry, () => keeper.samples());
  const keeper = await SourceKeeper.open({
    ...means,
    store,
    places: new Places(invocationsAtOnce),
    counted: (source, what, count) => metrics.counted(source, what, count),
    followed: (keys) => metrics.forgetAllBut(keys),
  });
  return keeper;
}
