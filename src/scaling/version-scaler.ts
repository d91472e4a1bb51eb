/** One version's number of instances over time: its load lately, and what was decided. The platform and the simulator use this very same one. */
import type { Version } from '../model/function.ts';
import { decideScale, noMemory, type ScaleDecision, type ScaleFacts, type ScaleMemory } from './decide.ts';
import { LoadHistory, type LoadSample } from './load-history.ts';
import { type InForce, scheduleAt } from './schedule.ts';

/** So long after its last request, and with nothing decided, there is nothing left to know of a version. */
const remembered = 2;

export class VersionScaler {
  readonly #config: ScaleFacts['config'];
  readonly #createdMs: number;
  readonly #history: LoadHistory;
  #memory: ScaleMemory = noMemory;
  #quietForMs = 0;
  #inForce: InForce = { schedule: undefined, untilMs: Number.NEGATIVE_INFINITY };

  /** @param createdMs when the version was made, in ms since 1970 */
  constructor(config: ScaleFacts['config'], createdMs: number) {
    this.#config = config;
    this.#createdMs = createdMs;
    this.#history = new LoadHistory(config.scale);
  }

  static of({ config, createdAt }: Pick<Version, 'config' | 'createdAt'>): VersionScaler {
    return new VersionScaler(config, Date.parse(createdAt));
  }

  /** Whether it asks for something also without any request: a clock does, or its being new. */
  static isClocked({ config: { scale }, createdAt }: Pick<Version, 'config' | 'createdAt'>, nowMs: number): boolean {
    return scale.schedules.length > 0 || (scale.initial > 0 && nowMs - Date.parse(createdAt) < scale.windowMs);
  }

  /**
   * Takes what came since the last step, and decides.
   * @param nowMs since 1970
   */
  step(sample: LoadSample, { inFlight, running }: Pick<ScaleFacts, 'inFlight' | 'running'>, nowMs: number): ScaleDecision {
    this.#history.add(sample);
    const isAtWork = inFlight > 0 || sample.requests > 0 || sample.busyMs > 0 || sample.messages > 0;
    this.#quietForMs = isAtWork ? 0 : this.#quietForMs + sample.spanMs;
    const { memory, decision } = decideScale(
      this.#memory,
      {
        config: this.#config,
        load: this.#history.load,
        inFlight,
        quietForMs: this.#quietForMs,
        running,
        ageMs: nowMs - this.#createdMs,
        schedule: this.#scheduleAt(nowMs),
      },
      nowMs,
    );
    this.#memory = memory;
    return decision;
  }

  /** Adds a time in which nobody looked, since there was nothing to see. */
  skip(spanMs: number): void {
    this.#history.add({ spanMs, busyMs: 0, requests: 0, cpuMs: 0, memory: 0, messages: 0 });
    this.#quietForMs += spanMs;
  }

  /** Whether the next step without requests would decide the same. */
  get isQuiet(): boolean {
    return this.#memory.target === 0 && this.#quietForMs > remembered * this.#config.scale.windowMs;
  }

  #scheduleAt(nowMs: number): ScaleFacts['schedule'] {
    if (this.#config.scale.schedules.length === 0) return undefined;
    if (nowMs >= this.#inForce.untilMs) this.#inForce = scheduleAt(this.#config.scale.schedules, nowMs);
    return this.#inForce.schedule;
  }
}
