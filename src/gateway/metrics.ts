/** The gateway's part of `GET /metrics`. On the request's way only numbers are put aside; they are counted when there is time. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Version } from '../model/function.ts';
import { type ColdPhases, coldPhases } from '../model/phases.ts';
import type { Exchange } from './exchange.ts';

const countEveryMs = 250;
const milliseconds = 1000;
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const waitBuckets = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface GatewayCounts {
  readonly inFlight: number;
  readonly waiting: number;
  readonly instances: number;
  readonly droppedReports: number;
}

/** What is counted of a request: not the request itself, which would outlive its time by a quarter of a second. */
interface Sample {
  readonly version: Version;
  readonly outcome: string;
  readonly seconds: number;
  readonly queueMs: number;
  readonly phases: ColdPhases | undefined;
}

export class GatewayMetrics {
  readonly #registry = new Registry();
  readonly #requests: Counter<'tenant' | 'function' | 'outcome'>;
  readonly #duration: Histogram<'tenant' | 'function'>;
  readonly #wait: Histogram<'tenant' | 'function'>;
  readonly #phase: Histogram<'tenant' | 'function' | 'phase'>;
  readonly #refused: Counter<'outcome'>;
  readonly #timer: NodeJS.Timeout;
  #samples: Sample[] = [];
  /** All that were ever counted: a handful of codes. */
  readonly #outcomes = new Set<string>();

  constructor(counts: () => GatewayCounts) {
    const registers = [this.#registry];
    const labelNames = ['tenant', 'function'] as const;
    this.#requests = new Counter({
      name: 'swiftlet_requests_total',
      help: 'Requests that reached a function, by outcome: ok or an error code',
      labelNames: [...labelNames, 'outcome'],
      registers,
    });
    this.#refused = new Counter({
      name: 'swiftlet_refused_requests_total',
      help: 'Requests that reached no function, by error code',
      labelNames: ['outcome'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'swiftlet_request_duration_seconds',
      help: 'From a request’s arrival to the end of its answer',
      labelNames,
      buckets: durationBuckets,
      registers,
    });
    this.#wait = new Histogram({
      name: 'swiftlet_queue_wait_seconds',
      help: 'Time in which a request waited for a slot, cold-start phases left out',
      labelNames,
      buckets: waitBuckets,
      registers,
    });
    this.#phase = new Histogram({
      name: 'swiftlet_cold_start_phase_seconds',
      help: 'Phases of cold starts as requests waited for them',
      labelNames: [...labelNames, 'phase'],
      buckets: waitBuckets,
      registers,
    });
    const gauge = (name: string, help: string, read: (c: GatewayCounts) => number) =>
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read(counts()));
        },
      });
    gauge('swiftlet_requests_in_flight', 'Requests that have no answer yet', (c) => c.inFlight);
    gauge('swiftlet_requests_waiting', 'Requests that wait for a slot', (c) => c.waiting);
    gauge('swiftlet_gateway_instances', 'Instances that this gateway holds a lease on', (c) => c.instances);
    gauge('swiftlet_gateway_dropped_reports', 'Report lines dropped because the log fell behind', (c) => c.droppedReports);
    this.#timer = setInterval(() => this.#count(), countEveryMs);
  }

  settled(exchange: Exchange, outcome: string, now: number): void {
    const { served, arrivedAt, queueMs, phases } = exchange;
    this.#samples.push({ version: served.version, outcome, seconds: (now - arrivedAt) / milliseconds, queueMs, phases });
  }

  refused(outcome: string): void {
    this.#refused.inc({ outcome });
  }

  /** A function is gone: so are its figures, which would be told for ever. */
  forget({ tenant, function: name }: Version): void {
    this.#count();
    const labels = { tenant, function: name };
    for (const outcome of this.#outcomes) this.#requests.remove({ ...labels, outcome });
    for (const phase of coldPhases) this.#phase.remove({ ...labels, phase });
    this.#duration.remove(labels);
    this.#wait.remove(labels);
  }

  text(): Promise<string> {
    this.#count();
    return this.#registry.metrics();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #count(): void {
    const samples = this.#samples;
    this.#samples = [];
    for (const { version, outcome, seconds, queueMs, phases } of samples) {
      const { tenant, function: name } = version;
      const labels = { tenant, function: name };
      this.#outcomes.add(outcome);
      this.#requests.inc({ tenant, function: name, outcome });
      this.#duration.observe(labels, seconds);
      this.#wait.observe(labels, queueMs / milliseconds);
      if (phases !== undefined)
        for (const phase of coldPhases) this.#phase.observe({ tenant, function: name, phase }, phases[phase] / milliseconds);
    }
  }
}
