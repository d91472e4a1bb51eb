/** The gateway's part of `GET /metrics`. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Version } from '../../model/function.ts';
import { type ColdPhase, type ColdPhases, coldPhases, noPhases, type Start, starts as allStarts } from '../../model/phases.ts';
import { functionKey } from '../../wire/published-state.ts';
import { Distribution, histogramText } from './histogram.ts';
import { Slowest } from './slowest.ts';
import type { WaitedStart } from '../instances/waited-start.ts';

const milliseconds = 1000;
const durationBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
/** So many versions of a function have figures of their own, the newest ones: each deploy would add to them for ever. */
const toldVersions = 3;
const waitBounds = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface GatewayCounts {
  readonly inFlight: number;
  /** Requests in flight that are WebSocket connections by now. */
  readonly connections: number;
  readonly waiting: number;
  readonly instances: number;
  readonly droppedReports: number;
}

type Labels = Pick<Version, 'tenant' | 'function'>;

/** What is counted of one version: sums only, since a histogram for each would be a hundred lines. Budget: 20 ns a warm request. */
export class VersionFigures {
  readonly number: number;
  readonly starts: Record<Start, number> = { warm: 0, thawed: 0, awakened: 0, provisioned: 0, cold: 0 };
  /** Milliseconds in each phase that requests waited for, and that had been done ahead of them. */
  readonly waited: Record<ColdPhase, number> = { ...noPhases };
  readonly prepaid: Record<ColdPhase, number> = { ...noPhases };

  constructor(number: number) {
    this.number = number;
  }

  /** An instance has taken a request. */
  began(start: Start, waitedStart: WaitedStart | undefined): void {
    this.starts[start] += 1;
    if (waitedStart === undefined) return;
    add(this.waited, waitedStart.waited);
    if (waitedStart.cost !== undefined) add(this.prepaid, waitedStart.prepaid);
  }
}

function add(sums: Record<ColdPhase, number>, phases: ColdPhases): void {
  for (const phase of coldPhases) sums[phase] += phases[phase];
}

/** What is counted of one function, over all its versions. Budget: 0.3 µs a request. */
export class FunctionFigures {
  readonly labels: Labels;
  readonly outcomes = new Map<string, number>();
  readonly duration = new Distribution(durationBounds);
  readonly wait = new Distribution(waitBounds);
  readonly waited = new PhaseDistributions();
  readonly prepaid = new PhaseDistributions();
  readonly slowest = new Slowest();
  /** The newest last. */
  readonly versions: VersionFigures[] = [];

  constructor({ tenant, function: name }: Labels) {
    this.labels = { tenant, function: name };
  }

  /** A request was not let in. @param code why */
  refused(code: string): void {
    this.#count(code);
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
  }

  /** @param outcome `ok` or an error code */
  settled(outcome: string, durationMs: number, queueMs: number, waitedStart: WaitedStart | undefined): void {
    this.#count(outcome);
    this.duration.observe(durationMs / milliseconds);
    this.wait.observe(queueMs / milliseconds);
    if (waitedStart === undefined) return;
    this.waited.observe(waitedStart.waited);
    // Of a start that several waited for, what was done ahead was done once.
    if (waitedStart.cost !== undefined) this.prepaid.observe(waitedStart.prepaid);
  }

  /** Where a version is counted. The figures of the oldest one go when there are too many. */
  ofVersion(number: number): VersionFigures {
    const known = this.versions.find((version) => version.number === number);
    if (known !== undefined) return known;
    const figures = new VersionFigures(number);
    this.versions.push(figures);
    if (this.versions.length > toldVersions) this.versions.shift();
    return figures;
  }

  /** As they are written; names have no character that would need escaping. */
  get labelText(): string {
    return `tenant="${this.labels.tenant}",function="${this.labels.function}"`;
  }
}

/** One distribution for each phase, made when there is something to count. */
class PhaseDistributions {
  #byPhase: Readonly<Record<ColdPhase, Distribution>> | undefined;

  observe(phases: ColdPhases): void {
    this.#byPhase ??= newDistributions();
    for (const phase of coldPhases) this.#byPhase[phase].observe(phases[phase] / milliseconds);
  }

  lines(name: string, labels: string): string[] {
    const byPhase = this.#byPhase;
    return byPhase === undefined ? [] : coldPhases.flatMap((phase) => byPhase[phase].lines(name, `${labels},phase="${phase}"`));
  }
}

const newDistributions = (): Readonly<Record<ColdPhase, Distribution>> => ({
  sandbox: new Distribution(waitBounds),
  code: new Distribution(waitBounds),
  environment: new Distribution(waitBounds),
  network: new Distribution(waitBounds),
  runtime: new Distribution(waitBounds),
  init: new Distribution(waitBounds),
});

export class GatewayMetrics {
  readonly #registry = new Registry();
  readonly #refused: Counter<'outcome'>;
  readonly #functions = new Map<string, FunctionFigures>();

  constructor(counts: () => GatewayCounts) {
    const registers = [this.#registry];
    const functions = this.#functions;
    new Counter({
      name: 'swiftlet_requests_total',
      help: 'Requests for a function, by outcome: ok or an error code',
      labelNames: ['tenant', 'function', 'outcome'],
      registers,
      collect() {
        this.reset();
        for (const { labels, outcomes } of functions.values())
          for (const [outcome, count] of outcomes) this.inc({ ...labels, outcome }, count);
      },
    });
    new Counter({
      name: 'swiftlet_version_starts_total',
      help: 'Requests that an instance took, by how it was found, for the newest versions of each function',
      labelNames: ['tenant', 'function', 'version', 'start'],
      registers,
      collect() {
        this.reset();
        for (const { labels, versions } of functions.values())
          for (const { number, starts } of versions)
            for (const start of allStarts) this.inc({ ...labels, version: String(number), start }, starts[start]);
      },
    });
    new Counter({
      name: 'swiftlet_version_cold_start_seconds_total',
      help: 'Time in the phases of cold starts, waited for or done ahead, for the newest versions of each function',
      labelNames: ['tenant', 'function', 'version', 'phase', 'paid'],
      registers,
      collect() {
        this.reset();
        for (const { labels, versions } of functions.values())
          for (const { number, starts, waited, prepaid } of versions)
            for (const phase of starts.cold === 0 ? [] : coldPhases) {
              const own = { ...labels, version: String(number), phase };
              this.inc({ ...own, paid: 'waited' }, waited[phase] / milliseconds);
              this.inc({ ...own, paid: 'ahead' }, prepaid[phase] / milliseconds);
            }
      },
    });
    this.#refused = new Counter({
      name: 'swiftlet_refused_requests_total',
      help: 'Requests that are for no function there is, by error code',
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
    gauge('swiftlet_web_sockets', 'Requests in flight that are WebSocket connections by now', (c) => c.connections);
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
    return histograms.map(({ name, help, of }) =>
      histogramText(
        name,
        help,
        all.flatMap((figures) => of(figures).lines(name, figures.labelText)),
      ),
    );
  }
}

interface Histogram {
  readonly name: string;
  readonly help: string;
  readonly of: (figures: FunctionFigures) => Distribution | PhaseDistributions;
}

const histograms: readonly Histogram[] = [
  {
    name: 'swiftlet_request_duration_seconds',
    help: 'From a request’s arrival to the end of its answer',
    of: ({ duration }) => duration,
  },
  {
    name: 'swiftlet_queue_wait_seconds',
    help: 'Time in which a request waited for a slot, cold-start phases left out',
    of: ({ wait }) => wait,
  },
  {
    name: 'swiftlet_cold_start_phase_seconds',
    help: 'Phases of cold starts as requests waited for them',
    of: ({ waited }) => waited,
  },
  {
    name: 'swiftlet_cold_start_prepaid_seconds',
    help: 'What a pool, or the publishing, had done ahead of cold starts',
    of: ({ prepaid }) => prepaid,
  },
];
