import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchPlatform } from './platform.ts';

export interface PoolState {
  readonly ready: number;
  readonly size: number;
}

/** Adds up a metric over its labels, from Prometheus’ text format. */
export function sumOfMetric(text: string, name: string): number {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

export const poolStateIn = (metrics: string): PoolState => ({
  ready: sumOfMetric(metrics, 'swiftlet_pool_ready'),
  size: sumOfMetric(metrics, 'swiftlet_pool_size'),
});

const lookEveryMs = 20;
/** The machine comes to rest before the next start: what looked at the pool was work too. */
const settleMs = 15;
const limitMs = 60_000;

/** Waits until every warm sandbox that there is to be is there. */
export const poolIsFull = (platform: BenchPlatform, signal: AbortSignal): Promise<void> => poolsAreFull(platform, 1, signal);

/** As many pools as there are kinds of sandboxes that some function needs, and the usual one. */
export async function poolsAreFull(platform: BenchPlatform, pools: number, signal: AbortSignal, restMs = settleMs): Promise<void> {
  const wanted = pools * platform.poolSize;
  const deadline = performance.now() + limitMs;
  for (;;) {
    // All roles' figures would be a megabyte, whose garbage both sides would still collect during the start that is measured.
    const { ready, size } = poolStateIn(await platform.api.metrics('agent'));
    if (ready >= wanted && ready >= size) break;
    if (performance.now() > deadline) throw new Error(`the pool has ${ready} of ${wanted} sandboxes after ${limitMs / 1000} s`);
    await sleep(lookEveryMs, undefined, { signal });
  }
  await sleep(restMs, undefined, { signal });
}
