/**
 * One function's requests on a virtual clock, against the platform's own decisions: how many instances those who wait start
 * (gateway/instances/activate.ts), how many the load wants (scaling/version-scaler.ts), and what becomes of one that rests (agent/rest.ts).
 */
import { foreseeableMs, soonFree, startsWanted } from '../gateway/instances/activate.ts';
import { LoadMeter } from '../gateway/instances/load-meter.ts';
import { RunningMean } from '../gateway/instances/running-mean.ts';
import type { ScaleDecision } from '../scaling/decide.ts';
import { VersionScaler } from '../scaling/version-scaler.ts';
import { Arrivals, type Spread } from './arrivals.ts';
import type { Outcome } from './outcome.ts';
import type { Policy } from './policy.ts';
import { randomOf, type Random } from './random.ts';
import { type SimulatedInstance, SimulatedInstances } from './simulated-instances.ts';
import { type StartTimeModel, startTimeOf } from './start-times.ts';
import { TimeQueue } from './time-queue.ts';
import type { SimulatedFunction } from './traffic.ts';

const secondMs = 1_000;
/** When a simulation begins, since 1970: schedules go by it. A Monday. */
export const beginningMs = Date.UTC(2026, 0, 5);

export interface SimulationMeans {
  readonly policy: Policy;
  readonly starts: StartTimeModel;
  readonly spread: Spread;
  readonly seed: string;
  readonly lengthMs: number;
}

interface Waiting {
  readonly atMs: number;
  readonly durationMs: number;
}

class FunctionSimulation {
  readonly #means: SimulationMeans;
  readonly #outcome: Outcome;
  readonly #arrivals: Arrivals;
  readonly #random: Random;
  readonly #meter = new LoadMeter();
  readonly #scaler: VersionScaler;
  readonly #instances: SimulatedInstances;
  #waiting: Waiting[] = [];
  #firstWaiting = 0;
  /** What ends when: a request, by its instance's number; or an instance's start, by its number below 0. */
  readonly #events = new TimeQueue();
  #decision: ScaleDecision | undefined;
  /** When the autoscaler decides next; infinite while it has nothing to see. */
  #decidesMs: number;
  #tidiesMs = Infinity;
  /** When those who wait for places that come free are looked after; infinite when nobody does. */
  #looksAgainMs = Infinity;
  /** How long requests and starts take lately, and when a request ended last. */
  readonly #requestMs = new RunningMean();
  readonly #startMs = new RunningMean();
  #endedMs = 0;
  #told = { atMs: 0, busyMs: 0, requests: 0 };
  #notedMs = 0;

  constructor(of: SimulatedFunction, means: SimulationMeans, outcome: Outcome) {
    const { policy, seed, spread } = means;
    const { scale } = policy.config;
    this.#means = means;
    this.#outcome = outcome;
    // What comes is the same under every policy.
    this.#arrivals = new Arrivals(of, spread, randomOf(`${seed}/${of.name}/arrivals`));
    this.#random = randomOf(`${seed}/${of.name}/starts`);
    this.#instances = new SimulatedInstances(policy.config, of.memoryMiB, outcome);
    this.#scaler = new VersionScaler(policy.config, beginningMs);
    this.#scaler.skip(scale.windowMs);
    const isClocked = scale.schedules.length > 0 || scale.initial > 0;
    this.#decidesMs = policy.isScaled && isClocked ? 0 : Infinity;
  }

  /** Goes on until the traffic's end. */
  run(): void {
    const { lengthMs, policy } = this.#means;
    for (let provisioned = 0; provisioned < policy.config.minimum; provisioned++) this.#start(0);
    for (;;) {
      const [arrivalMs, eventMs] = [this.#arrivals.atMs, this.#events.nextMs];
      const nowMs = Math.min(arrivalMs, eventMs, this.#decidesMs, this.#tidiesMs, this.#looksAgainMs);
      if (nowMs >= lengthMs) break;
      if (arrivalMs === nowMs) this.#arrive(nowMs);
      else if (eventMs === nowMs) this.#happen(nowMs);
      else if (this.#looksAgainMs === nowMs) this.#lookAgain(nowMs);
      else this.#look(nowMs);
    }
    this.#note(lengthMs);
    this.#instances.endAll(lengthMs);
  }

  #arrive(nowMs: number): void {
    const { durationMs } = this.#arrivals;
    this.#arrivals.next();
    this.#outcome.requests += 1;
    const instance = this.#instances.best;
    if (instance === undefined && this.#waitingCount >= this.#means.policy.config.queueLength) {
      this.#outcome.refused += 1;
      return;
    }
    this.#note(nowMs);
    this.#meter.arrived(nowMs);
    if (instance === undefined) {
      this.#waiting.push({ atMs: nowMs, durationMs });
      this.#activate(nowMs, this.#soonServed(nowMs));
    } else this.#handOver(instance, nowMs, durationMs);
    if (this.#decidesMs === Infinity && this.#means.policy.isScaled) this.#wake(nowMs);
  }

  /** Requests that wait, and those that instances have. */
  get #inFlight(): number {
    return this.#meter.busy + this.#waitingCount;
  }

  get #waitingCount(): number {
    return this.#waiting.length - this.#firstWaiting;
  }

  #activate(nowMs: number, soonServed: number): void {
    const { concurrency, maximum } = this.#means.policy.config;
    const { starting, count } = this.#instances;
    const demand = { waiting: this.#waitingCount, soonServed, starting, instances: count - starting, slots: concurrency };
    const wanted = startsWanted({ ...demand, maximum: this.#decision?.maximum ?? maximum });
    for (let asked = 0; asked < wanted; asked++) this.#start(nowMs);
    if (soonServed > 0) this.#looksAgainMs = Math.min(this.#looksAgainMs, nowMs + foreseeableMs(this.#startMs.value));
  }

  #soonServed(nowMs: number): number {
    return soonFree({
      busy: this.#meter.busy,
      requestMs: this.#requestMs.value,
      startMs: this.#startMs.value,
      silentMs: nowMs - this.#endedMs,
    });
  }

  /** Who still waits gets an instance after all. */
  #lookAgain(nowMs: number): void {
    this.#looksAgainMs = Infinity;
    if (this.#waitingCount > 0) this.#activate(nowMs, 0);
  }

  #start(nowMs: number): void {
    const tookMs = startTimeOf(this.#means.starts, this.#random);
    this.#startMs.add(tookMs);
    this.#events.add(nowMs + tookMs, -this.#instances.start(nowMs));
  }

  #handOver(instance: SimulatedInstance, nowMs: number, durationMs: number): void {
    const waitMs = instance.rest?.kind === 'frozen' ? this.#means.starts.thawMs : 0;
    if (instance.rest?.kind === 'frozen') {
      this.#outcome.thawed += 1;
      this.#outcome.waits.push(waitMs);
    }
    this.#begin(instance, nowMs, durationMs + waitMs);
  }

  #begin(instance: SimulatedInstance, nowMs: number, durationMs: number): void {
    this.#meter.began(nowMs);
    this.#instances.begin(instance, nowMs);
    this.#requestMs.add(durationMs);
    this.#events.add(nowMs + durationMs, instance.number);
  }

  #happen(nowMs: number): void {
    const which = this.#events.take();
    const instance = this.#instances.find(Math.abs(which));
    if (instance === undefined) return;
    if (which < 0) this.#instances.beReady(instance);
    else {
      this.#note(nowMs);
      this.#meter.ended(nowMs);
      this.#endedMs = nowMs;
      this.#instances.finish(instance, nowMs);
    }
    const { concurrency } = this.#means.policy.config;
    for (let next = this.#nextWaiting(); next !== undefined; next = instance.inFlight < concurrency ? this.#nextWaiting() : undefined) {
      if (which < 0) this.#outcome.cold += 1;
      this.#outcome.waits.push(nowMs - next.atMs);
      this.#begin(instance, nowMs, next.durationMs);
    }
    if (instance.inFlight >= concurrency) return;
    this.#instances.beFree(instance, nowMs);
    if (instance.rest !== undefined) this.#tidiesMs = Math.min(this.#tidiesMs, nowMs + this.#soonestMs);
  }

  /** The first thing that can become of an instance that rests. */
  get #soonestMs(): number {
    const { freezeMs, idleMs } = this.#means.policy.config;
    return Math.min(freezeMs, idleMs);
  }

  #nextWaiting(): Waiting | undefined {
    const next = this.#waiting[this.#firstWaiting];
    if (next === undefined) return undefined;
    this.#firstWaiting += 1;
    if (this.#firstWaiting === this.#waiting.length) {
      this.#waiting = [];
      this.#firstWaiting = 0;
    }
    return next;
  }

  /** The autoscaler has something to see from now on, at its next second. */
  #wake(nowMs: number): void {
    this.#scaler.skip(Math.max(0, Math.floor(nowMs / secondMs) * secondMs - this.#told.atMs));
    this.#told = { ...this.#told, atMs: Math.max(this.#told.atMs, Math.floor(nowMs / secondMs) * secondMs) };
    this.#decidesMs = (Math.floor(nowMs / secondMs) + 1) * secondMs;
  }

  #look(nowMs: number): void {
    if (this.#decidesMs === nowMs) this.#decide(nowMs);
    this.#tidiesMs = this.#instances.tidy(this.#decision, nowMs);
  }

  #decide(nowMs: number): void {
    const told = { atMs: nowMs, busyMs: this.#meter.busyMs(nowMs), requests: this.#meter.requests };
    const [spanMs, busyMs, requests] = [nowMs - this.#told.atMs, told.busyMs - this.#told.busyMs, told.requests - this.#told.requests];
    const sample = { spanMs, busyMs, requests, cpuMs: 0, memory: 0, messages: 0 };
    this.#told = told;
    const { count, starting } = this.#instances;
    const { schedules, initial } = this.#means.policy.config.scale;
    this.#decision = this.#scaler.step(sample, { inFlight: this.#inFlight, running: count }, beginningMs + nowMs);
    const { target, maximum } = this.#decision;
    for (let there = count; there < Math.min(target, maximum); there++) this.#start(nowMs);
    const isQuiet = this.#scaler.isQuiet && starting === 0 && schedules.length === 0 && (initial === 0 || nowMs > secondMs);
    if (isQuiet) this.#decision = undefined;
    this.#decidesMs = isQuiet ? Infinity : nowMs + secondMs;
  }

  /** Before the number of requests under way changes. */
  #note(nowMs: number): void {
    this.#outcome.idealMs += Math.ceil(this.#inFlight / this.#means.policy.config.concurrency) * (nowMs - this.#notedMs);
    this.#notedMs = nowMs;
  }
}

/** Replays a function, and adds what came of it to an outcome. */
export function simulateFunction(of: SimulatedFunction, means: SimulationMeans, outcome: Outcome): void {
  new FunctionSimulation(of, means, outcome).run();
}
