/** The instances of one function on a virtual clock: started, given requests, at rest, ended. What they cost is counted here. */
import type { RestingState } from '../agent/instance.ts';
import { fateOf } from '../agent/rest.ts';
import type { FunctionConfig } from '../model/function.ts';
import { fillMark } from '../model/scale.ts';
import { pickInstance } from '../gateway/instances/pick-instance.ts';
import type { ScaleDecision } from '../scaling/decide.ts';
import type { Outcome } from './outcome.ts';

const secondMs = 1_000;

/** Fields rather than states, since there are millions of changes. */
export interface SimulatedInstance {
  readonly number: number;
  readonly startedMs: number;
  inFlight: number;
  readonly slots: number;
  /** Since when it has requests, as long as it has any. */
  busySinceMs: number;
  usedMs: number;
  /** There while it is ready and has no request. */
  rest: RestingState | undefined;
  isReady: boolean;
  isFree: boolean;
}

export class SimulatedInstances {
  readonly #config: FunctionConfig;
  readonly #mark: number;
  readonly #memoryMiB: number;
  readonly #outcome: Outcome;
  readonly #all = new Map<number, SimulatedInstance>();
  /** Those with a free place. */
  #free: SimulatedInstance[] = [];
  #started = 0;
  starting = 0;

  constructor(config: FunctionConfig, memoryMiB: number, outcome: Outcome) {
    this.#config = config;
    this.#mark = fillMark(config);
    this.#memoryMiB = memoryMiB;
    this.#outcome = outcome;
  }

  get count(): number {
    return this.#all.size;
  }

  /** The one that takes the next request. */
  get best(): SimulatedInstance | undefined {
    return pickInstance(this.#free, this.#mark, this.#config.concurrency);
  }

  find(number: number): SimulatedInstance | undefined {
    return this.#all.get(number);
  }

  /** @returns its number; it is not ready yet */
  start(nowMs: number): number {
    this.#started += 1;
    this.starting += 1;
    this.#outcome.starts += 1;
    const instance = {
      number: this.#started,
      startedMs: nowMs,
      inFlight: 0,
      slots: this.#config.concurrency,
      busySinceMs: 0,
      usedMs: 0,
      rest: undefined,
      isReady: false,
      isFree: false,
    };
    this.#all.set(instance.number, instance);
    return instance.number;
  }

  beReady(instance: SimulatedInstance): void {
    this.starting -= 1;
    instance.isReady = true;
  }

  begin(instance: SimulatedInstance, nowMs: number): void {
    if (instance.inFlight === 0) instance.busySinceMs = nowMs;
    instance.inFlight += 1;
    instance.rest = undefined;
    if (instance.isFree && instance.inFlight >= this.#config.concurrency) this.#removeFree(instance);
  }

  finish(instance: SimulatedInstance, nowMs: number): void {
    instance.inFlight -= 1;
    if (instance.inFlight === 0) instance.usedMs += nowMs - instance.busySinceMs;
  }

  /** Nobody waits for the places that it has free. */
  beFree(instance: SimulatedInstance, nowMs: number): void {
    if (!instance.isFree) {
      instance.isFree = true;
      this.#free.push(instance);
    }
    if (instance.inFlight === 0 && instance.rest === undefined) instance.rest = { kind: 'idle', since: nowMs, isQuiet: true };
  }

  /** Freezes and ends what rests. @returns when the next one's time comes; infinite when nothing rests */
  tidy(decision: ScaleDecision | undefined, nowMs: number): number {
    let nextMs = Infinity;
    for (const instance of this.#free) {
      if (instance.rest === undefined) continue;
      // Until then its gateway has it.
      const heldUntilMs = instance.rest.since + Math.min(this.#config.freezeMs, this.#config.idleMs);
      if (nowMs < heldUntilMs) {
        nextMs = Math.min(nextMs, heldUntilMs);
        continue;
      }
      switch (fateOf(this.#factsOf(instance.rest, decision), nowMs)) {
        case 'end':
          this.end(instance, nowMs);
          continue;
        case 'freeze':
          instance.rest = { kind: 'frozen', since: instance.rest.since };
          break;
        case 'hibernate':
        case 'thaw':
        case 'stay':
      }
      nextMs = Math.min(nextMs, this.#changesMs(instance.rest, nowMs));
    }
    if (this.#free.some(({ isFree }) => !isFree)) this.#free = this.#free.filter(({ isFree }) => isFree);
    return nextMs;
  }

  end(instance: SimulatedInstance, nowMs: number): void {
    if (instance.inFlight > 0) instance.usedMs += nowMs - instance.busySinceMs;
    const livedMs = nowMs - instance.startedMs;
    const { changes } = this.#outcome;
    this.#outcome.instanceMs += livedMs;
    this.#outcome.usedMs += instance.usedMs;
    this.#outcome.wastedMiBMs += (livedMs - instance.usedMs) * this.#memoryMiB;
    change(changes, Math.floor(instance.startedMs / secondMs), 1);
    change(changes, Math.ceil(nowMs / secondMs), -1);
    instance.isFree = false;
    this.#all.delete(instance.number);
  }

  /** What is still there at the end counts up to it. */
  endAll(nowMs: number): void {
    for (const instance of this.#all.values()) this.end(instance, nowMs);
  }

  #factsOf(state: RestingState, decision: ScaleDecision | undefined): Parameters<typeof fateOf>[0] {
    const there = this.#all.size - this.starting;
    const { freezeMs, idleMs, timeoutMs, minimum, scale } = this.#config;
    return {
      state,
      serving: true,
      isProvisioned: there <= Math.max(minimum, decision?.minimum ?? 0),
      isWanted: decision !== undefined && there <= decision.target,
      isTooMany: decision !== undefined && there > Math.max(1, decision.target),
      canFreeze: true,
      freezeMs,
      // Simulated is what every host does: not all have swap.
      hibernateMs: Infinity,
      idleMs,
      surplusMs: scale.delayMs,
      timeoutMs,
    };
  }

  #changesMs({ kind, since }: RestingState, nowMs: number): number {
    const { freezeMs, idleMs, scale } = this.#config;
    const times = kind === 'idle' ? [freezeMs, scale.delayMs, idleMs] : [scale.delayMs, idleMs];
    return times.reduce((next, ms) => (since + ms > nowMs ? Math.min(next, since + ms) : next), Infinity);
  }

  #removeFree(instance: SimulatedInstance): void {
    instance.isFree = false;
    if (this.#free.at(-1) === instance) this.#free.pop();
    else this.#free.splice(this.#free.lastIndexOf(instance), 1);
  }
}

function change(changes: Int32Array, second: number, by: number): void {
  const at = Math.min(second, changes.length - 1);
  changes[at] = (changes[at] ?? 0) + by;
}
