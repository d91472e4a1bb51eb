/** The sources' part of `GET /metrics`. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { MessageEnd } from './batch-runner.ts';
import type { SourceSample } from './source-keeper.ts';
import { sourceKey, type SourceRef } from './source-store.ts';

const bySource = ['tenant', 'function', 'source'] as const;
type Label = (typeof bySource)[number];
const ends: readonly MessageEnd[] = ['succeeded', 'failed', 'filtered', 'dead-lettered', 'lost'];

export class SourceMetrics {
  readonly #messages: Counter<Label | 'outcome'>;
  /** The sources that there are figures of. */
  readonly #seen = new Map<string, SourceRef>();

  /** @param samples what the sources are like now */
  constructor(registry: Registry, samples: () => SourceSample[]) {
    const registers = [registry];
    this.#messages = new Counter({
      name: 'swiftlet_source_messages_total',
      help: 'Messages of sources: succeeded, failed (an attempt), filtered, dead-lettered or lost',
      labelNames: [...bySource, 'outcome'],
      registers,
    });
    new Gauge({
      name: 'swiftlet_source_running',
      help: 'Whether messages of a source come: 1, or 0 when it is broken, paused or not open yet',
      labelNames: bySource,
      registers,
      collect() {
        this.reset();
        for (const { ref, isRunning } of samples()) this.set(labelsOf(ref), isRunning ? 1 : 0);
      },
    });
    new Gauge({
      name: 'swiftlet_source_lag',
      help: 'Messages that wait at a source’s server and were not given out',
      labelNames: bySource,
      registers,
      async collect() {
        this.reset();
        const lags = samples().map(async ({ ref, lag }) => ({ ref, lag: await lag() }));
        for (const { ref, lag } of await Promise.all(lags)) if (lag !== undefined) this.set(labelsOf(ref), lag);
      },
    });
  }

  counted(ref: SourceRef, what: MessageEnd, count: number): void {
    if (count === 0) return;
    this.#seen.set(sourceKey(ref), ref);
    this.#messages.inc({ ...labelsOf(ref), outcome: what }, count);
  }

  /** Sources that are gone take their figures along, which would be told for ever. */
  forgetAllBut(keys: ReadonlySet<string>): void {
    for (const [key, ref] of this.#seen) {
      if (keys.has(key)) continue;
      this.#seen.delete(key);
      for (const outcome of ends) this.#messages.remove({ ...labelsOf(ref), outcome });
    }
  }
}

const labelsOf = ({ tenant, function: name, source }: SourceRef): Record<Label, string> => ({ tenant, function: name, source });
