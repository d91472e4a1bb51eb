/** The events role's part of `GET /metrics`. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { functionKey } from '../wire/published-state.ts';
import type { Outcome } from './decide.ts';
import type { EventCount, FunctionRef, Settlement } from './event-log.ts';

const milliseconds = 1000;
const attemptOutcomes: readonly Outcome['kind'][] = ['answered', 'failed', 'throttled', 'refused'];
const endOutcomes: readonly Settlement['kind'][] = ['succeeded', 'dead-lettered', 'discarded'];
const commitBounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];

export class EventMetrics {
  readonly #registry = new Registry();
  readonly #accepted: Counter<'tenant' | 'function'>;
  readonly #refused: Counter<'outcome'>;
  readonly #attempts: Counter<'tenant' | 'function' | 'outcome'>;
  readonly #ended: Counter<'tenant' | 'function' | 'outcome'>;
  readonly #commit: Histogram;
  /** The functions that there are figures of. */
  readonly #seen = new Map<string, FunctionRef>();

  /** @param counts the events there are, by function and state */
  constructor(counts: () => Promise<EventCount[]>) {
    const registers = [this.#registry];
    const byFunction = ['tenant', 'function'] as const;
    this.#accepted = new Counter({
      name: 'swiftlet_events_accepted_total',
      help: 'Events stored and acknowledged',
      labelNames: byFunction,
      registers,
    });
    this.#refused = new Counter({
      name: 'swiftlet_events_refused_total',
      help: 'Events that could not be stored, by error code',
      labelNames: ['outcome'],
      registers,
    });
    this.#attempts = new Counter({
      name: 'swiftlet_event_attempts_total',
      help: 'Deliveries of events: answered, failed, throttled or refused',
      labelNames: [...byFunction, 'outcome'],
      registers,
    });
    this.#ended = new Counter({
      name: 'swiftlet_events_ended_total',
      help: 'Events that ended: succeeded, dead-lettered or discarded',
      labelNames: [...byFunction, 'outcome'],
      registers,
    });
    this.#commit = new Histogram({
      name: 'swiftlet_event_commit_seconds',
      help: 'Commits of the event log, the disk’s sync among it',
      buckets: commitBounds,
      registers,
    });
    new Gauge({
      name: 'swiftlet_events',
      help: 'Events in the log by state; those that ended well are kept for a while only',
      labelNames: [...byFunction, 'state'],
      registers,
      async collect() {
        this.reset();
        for (const { tenant, function: name, state, count } of await counts()) this.set({ tenant, function: name, state }, count);
      },
    });
  }

  accepted(event: FunctionRef): void {
    this.#accepted.inc(this.#labels(event));
  }

  refused(outcome: string): void {
    this.#refused.inc({ outcome });
  }

  tried(event: FunctionRef, outcome: Outcome['kind']): void {
    this.#attempts.inc({ ...this.#labels(event), outcome });
  }

  settled(event: FunctionRef, outcome: Settlement['kind']): void {
    if (outcome !== 'waiting') this.#ended.inc({ ...this.#labels(event), outcome });
  }

  committed(tookMs: number): void {
    this.#commit.observe(tookMs / milliseconds);
  }

  /** For parts that have their own metrics. */
  get registry(): Registry {
    return this.#registry;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Functions that are gone take their figures along, which would be told for ever; what is in the log of them is told on. */
  forgetAllBut(functions: ReadonlyMap<string, unknown>): void {
    for (const [key, labels] of this.#seen) {
      if (functions.has(key)) continue;
      this.#seen.delete(key);
      this.#accepted.remove({ ...labels });
      for (const outcome of attemptOutcomes) this.#attempts.remove({ ...labels, outcome });
      for (const outcome of endOutcomes) this.#ended.remove({ ...labels, outcome });
    }
  }

  #labels({ tenant, function: name }: FunctionRef): FunctionRef {
    const key = functionKey(tenant, name);
    const labels = this.#seen.get(key) ?? { tenant, function: name };
    this.#seen.set(key, labels);
    return labels;
  }
}
