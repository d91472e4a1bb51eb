import type { SwiftletError } from '../../model/errors.ts';
import type { AgentNumber } from '../../model/fleet.ts';
import type { Version } from '../../model/function.ts';
import { fillMark } from '../../model/scale.ts';
import type { Agent } from './agents.ts';
import { soonFree } from './activate.ts';
import { noCrashes, oneMore, pauseAfterCrashes } from './crash-loop.ts';
import { type Circuit, closedAt } from '../protection/circuit.ts';
import type { Exchange } from '../request/exchange.ts';
import type { FunctionGuard } from '../protection/function-guard.ts';
import type { InstanceLink } from './instance-link.ts';
import { LoadMeter } from './load-meter.ts';
import type { FunctionFigures, VersionFigures } from '../figures/metrics.ts';
import { pickInstance } from './pick-instance.ts';
import { RunningMean } from './running-mean.ts';
import type { TenantMeter } from '../protection/tenant-meter.ts';
import type { Watch } from '../routing/watch.ts';

/** So many gone requests may lie in a queue before it is swept. */
const sweepFrom = 64;

/** What the gateway knows of one version that it serves: who waits for it, and who can take them. */
export class ServedVersion {
  readonly version: Version;
  readonly key: string;
  readonly figures: FunctionFigures;
  readonly versionFigures: VersionFigures;
  /** What its tenant may take. */
  readonly meter: TenantMeter;
  /** The agents that may have its instances. */
  readonly agents: readonly AgentNumber[];
  /** The same version for requests that are for others of the agents; empty for all but those of functions that divide them by groups. */
  others: readonly ServedVersion[] = [];
  /** What the autoscaler is told of it, with all its others. */
  readonly load: LoadMeter;
  /** What protects its function. */
  readonly guard: FunctionGuard;
  circuit: Circuit = closedAt(0);
  /** How long its requests take lately, once an instance has them. */
  readonly handlerMs = new RunningMean();
  /** When one ended last. */
  endedAt = 0;
  /** How long its cold starts take lately, from when they are asked for. */
  readonly startMs = new RunningMean();
  /** Requests that wait for a slot, oldest first from `#first` on. */
  #queue: (Exchange | undefined)[] = [];
  #first = 0;
  #waiting = 0;
  /** Each of its instances takes a single request. */
  readonly isOneShot: boolean;
  /**
   * Instances with a free slot, of which `pick` takes one. Those that are provisioned are the last ones, and among each kind the one
   * used last, so that others grow old and are reclaimed.
   */
  readonly free: InstanceLink[] = [];
  /** How many requests at once one is to have. */
  readonly #mark: number;
  /** How many of them are provisioned. */
  #freeProvisioned = 0;
  instances = 0;
  /** Slots that other gateways lack, and get as soon as they are free here. */
  owed = 0;
  /** Until when no instance is asked for beside those that are here. */
  moreAskedUntil = 0;
  owedUntilMs = 0;
  /** The agent whose slots these are. */
  owedTo: Agent | undefined;
  starting = 0;
  failures = 0;
  /** Until when no start is tried, and why. */
  pausedUntil = 0;
  lastFailure: SwiftletError | undefined;
  /** Its instances that ended with requests, in a row. */
  crashes = noCrashes;
  /** Why the last start was put off; what a request is told whose time runs out. */
  lastRefusal: SwiftletError | undefined;
  /** Of the requests under way, those that are connections by now: they end when their callers like. */
  connections = 0;
  retired = false;
  /** While a rollout looks at it. */
  watch: Watch | undefined;

  constructor(
    version: Version,
    key: string,
    figures: FunctionFigures,
    meter: TenantMeter,
    guard: FunctionGuard,
    agents: readonly AgentNumber[] = [0],
    load = new LoadMeter(),
  ) {
    this.agents = agents;
    this.load = load;
    this.version = version;
    this.key = key;
    this.#mark = fillMark(version.config);
    this.isOneShot = version.config.process === 'one-shot';
    this.figures = figures;
    this.meter = meter;
    this.guard = guard;
    this.versionFigures = figures.ofVersion(version.number);
  }

  /** Whose instances are an agent's: this one's, or one of its others. */
  partFor(agent: AgentNumber): ServedVersion | undefined {
    return [this, ...this.others].find(({ agents }) => agents.includes(agent));
  }

  /** A request came for it. */
  entered(now: number): void {
    this.load.arrived(now);
    this.guard.entered();
  }

  /** One is over, or goes elsewhere. */
  left(): void {
    this.guard.left();
  }

  /** Gives one that waited, and is out of the queue already, to the version that stands in its place. */
  handOver(exchange: Exchange, successor: ServedVersion, now: number): Exchange {
    this.forgetWaiting();
    this.left();
    successor.entered(now);
    return Object.assign(exchange, { served: successor });
  }

  /** Requests that wait for an instance: those in the queue, and those that were sent ahead to one. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many of those who wait are served before an instance could be there that is asked for now. */
  soonServed(now: number): number {
    const { handlerMs, startMs, endedAt, load } = this;
    return soonFree({ busy: load.busy - this.connections, requestMs: handlerMs.value, startMs: startMs.value, silentMs: now - endedAt });
  }

  /** The one in the queue that has waited longest. */
  get oldest(): Exchange | undefined {
    for (let at = this.#first; at < this.#queue.length; at++) {
      const exchange = this.#queue[at];
      if (exchange?.state === 'waiting') return exchange;
    }
    return undefined;
  }

  enqueue(exchange: Exchange): void {
    this.#queue.push(exchange);
    this.#waiting += 1;
  }

  /** The oldest that still waits; it waits no longer. */
  dequeue(): Exchange | undefined {
    const exchange = this.takeAhead();
    if (exchange !== undefined) this.#waiting -= 1;
    return exchange;
  }

  /** The oldest in the queue, to be sent ahead or settled: it still counts as waiting, until `forgetWaiting`. */
  takeAhead(): Exchange | undefined {
    while (this.#first < this.#queue.length) {
      const exchange = this.#queue[this.#first];
      this.#queue[this.#first] = undefined;
      this.#first += 1;
      if (exchange?.state === 'waiting') return exchange;
    }
    this.#queue = [];
    this.#first = 0;
    return undefined;
  }

  /** Puts one back that was sent ahead, before all others. */
  putBack(exchange: Exchange): void {
    this.#queue.splice(this.#first, 0, exchange);
  }

  /** Counts out one that stopped waiting by itself; `dequeue` passes over it. */
  forgetWaiting(): void {
    this.#waiting -= 1;
    if (this.#queue.length <= 2 * this.#waiting + sweepFrom) return;
    this.#queue = this.#queue.filter((exchange) => exchange?.state === 'waiting');
    this.#first = 0;
  }

  /** An instance ended with requests. @param sinceMs when this gateway got it */
  crashed(sinceMs: number, now: number): void {
    this.crashes = oneMore(this.crashes, sinceMs, now);
    this.pausedUntil = Math.max(this.pausedUntil, now + pauseAfterCrashes(this.crashes));
  }

  /** Whether each of its instances has as many requests as it is to have, and more of them would have something to do. */
  get isFilled(): boolean {
    const { concurrency, maximum } = this.version.config;
    if (concurrency === 1 || this.retired || this.instances === 0 || this.instances >= maximum || this.starting > 0) return false;
    return this.load.busy - this.connections >= this.#mark * this.instances;
  }

  /** The one that gets the next request. */
  pick(): InstanceLink | undefined {
    return pickInstance(this.free, this.#mark, this.version.config.concurrency);
  }

  addFree(link: InstanceLink): void {
    if (link.isFree) return;
    link.isFree = true;
    if (link.isProvisioned) this.#freeProvisioned += 1;
    else if (this.#freeProvisioned > 0) {
      this.free.splice(this.free.length - this.#freeProvisioned, 0, link);
      return;
    }
    this.free.push(link);
  }

  removeFree(link: InstanceLink): void {
    if (!link.isFree) return;
    link.isFree = false;
    if (link.isProvisioned) this.#freeProvisioned -= 1;
    this.free.splice(this.free.lastIndexOf(link), 1);
  }
}
