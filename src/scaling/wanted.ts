/** How many instances a load wants: the load over what one instance is to have of it. Pure. */
import { type ScaleConfig, type ScaleSignal, scaleSignals } from '../model/scale.ts';
import type { Load } from './load-history.ts';

export interface Wanted {
  readonly instances: number;
  readonly signal: ScaleSignal;
  readonly window: 'stable' | 'burst';
  /** In the signal's unit: requests at once, requests a second, processors, instances' memory, messages. */
  readonly load: number;
  /** What one instance is to have of it: its threshold, times `outAtPercent`. */
  readonly perInstance: number;
}

const percent = 100;
/** Means are sums of what cannot be written in binary: a load that is just what two instances take does not want a third. */
const tolerance = 1e-6;

/** So many times what the long window wants makes a burst: the short one counts then. */
const burstTimes = 2;

/** The most that any signal wants; the first of equals. */
export function wantedOf(load: Load, scale: Pick<ScaleConfig, 'thresholds' | 'outAtPercent'>, concurrency: number): Wanted {
  let most: Wanted = { instances: 0, signal: 'concurrency', window: 'stable', load: 0, perInstance: 0 };
  for (const signal of scaleSignals) {
    const threshold = thresholdOf(signal, scale, concurrency);
    if (threshold === undefined) continue;
    const perInstance = (threshold * scale.outAtPercent) / percent;
    const wants = (window: 'stable' | 'burst') => Math.max(0, Math.ceil(load[signal][window] / perInstance - tolerance));
    const window = wants('burst') >= Math.max(burstTimes, burstTimes * wants('stable')) ? 'burst' : 'stable';
    const instances = wants(window);
    if (instances > most.instances || most.perInstance === 0) most = { instances, signal, window, load: load[signal][window], perInstance };
  }
  return most;
}

/** What an instance takes of a signal at most; undefined when the signal has no say. */
function thresholdOf(signal: ScaleSignal, { thresholds }: Pick<ScaleConfig, 'thresholds'>, concurrency: number): number | undefined {
  const named = thresholds[signal];
  if (signal === 'cpu' || signal === 'memory') return named === undefined ? undefined : named / percent;
  const isSilent = scaleSignals.every((one) => thresholds[one] === undefined);
  return signal === 'concurrency' && isSilent ? concurrency : named;
}
