/** The gateway's part of `GET /metrics`. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Version } from '../model/function.ts';
import { type ColdPhases, coldPhases } from '../model/phases.ts';
import { functionKey } from '../wire/published-state.ts';
import { Distribution, histogramText } from './histogram.ts';

const milliseconds = 1000;
const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const waitBounds = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface GatewayCounts {
  readonly inFlight: number;
  readonly waiting: number;
  readonly instances: number;
  readonly droppedReports: number;
}

type Labels = Pick<Version, 'tenant' | 'function'>;

/** What is counted of one function, over all its versions. Budget: 0.3 µs a request. */
export class FunctionFigures {
  readonly labels: Labels;
  readonly outcomes = new Map<string, number>();
  readonly duration = new Distribution(durationBounds);
  readonly wait = new Distribution(waitBounds);
  readonly phases = new Map<keyof ColdPhases, Distribution>();

  constructor({ tenant, function: name }: Labels) {
    this.labels = { tenant, function: name };
  }

  /** @param outcome `ok` or an error code */
  settled(outcome: string, durationMs: number, queueMs: number, phases: ColdPhases | undefined): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    this.duration.observe(durationMs / milliseconds);
    this.wait.observe(queueMs / milliseconds);
    if (phases !== undefined) for (const phase of coldPhases) this.#phase(phase).observe(phases[phase] / milliseconds);
  }

  #phase(phase: keyof ColdPhases): Distribution {
    const seen = this.phases.get(phase) ?? new Distribution(waitBounds);
    this.phases.set(phase, seen);
    return seen;
  }

  /** As they are written; names have no character that would need escaping. */
  get labelText(): string {
    return `tenant="${this.labels.tenant}",function="${this.labels.function}"`;
  }
}

export class GatewayMetrics {
  readonly #registry = new Registry();
  readonly #refused: Counter<'outcome'>;
  readonly #functions = new Map<string, FunctionFigures>();

  constructor(counts: () => GatewayCounts) {
    const registers = [this.#registry];
    const functions = this.#functions;
    new Counter({
      name: 'swiftlet_requests_total',
      help: 'Requests that reached a function, by outcome: ok or an error code',
      labelNames: ['tenant', 'function', 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const { labels, outcomes } of functions.values())
          for (const [outcome, count] of outcomes) this.inc({ ...labels, outcome }, count);
      },
    });
    this.#refused = new Counter({
      name: 'swiftlet_refused_requests_total',
      help: 'Requests that reached no function, by error code',
      labelNames: ['outcome'],
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
  }

  /** Where a function's requests are counted, until it is forgotten. */
  of(labels: Labels): FunctionFigures {
    const key = functionKey(labels.tenant, labels.function);
    const figures = this.#functions.get(key) ?? new FunctionFigures(labels);
    this.#functions.set(key, figures);
    return figures;
  }

  refused(outcome: string): void {
    this.#refused.inc({ outcome });
  }

  /** A function is gone: so are its figures, which would be told for ever. */
  forget({ tenant, function: name }: Labels): void {
    this.#functions.delete(functionKey(tenant, name));
  }

  async text(): Promise<string> {
    return [await this.#registry.metrics(), ...this.#histograms()].join('\n');
  }

  #histograms(): string[] {
    const all = [...this.#functions.values()].filter(({ outcomes }) => outcomes.size > 0);
    const [duration, wait, phase] = [
      'swiftlet_request_duration_seconds',
      'swiftlet_queue_wait_seconds',
      'swiftlet_cold_start_phase_seconds',
    ];
    const phaseLines = (figures: FunctionFigures) =>
      [...figures.phases].flatMap(([name, seen]) => seen.lines(phase, `${figures.labelText},phase="${name}"`));
    return [
      histogramText(
        duration,
        'From a request’s arrival to the end of its answer',
        all.flatMap((figures) => figures.duration.lines(duration, figures.labelText)),
      ),
      histogramText(
        wait,
        'Time in which a request waited for a slot, cold-start phases left out',
        all.flatMap((figures) => figures.wait.lines(wait, figures.labelText)),
      ),
      histogramText(phase, 'Phases of cold starts as requests waited for them', all.flatMap(phaseLines)),
    ];
  }
}
