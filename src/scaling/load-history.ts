/** What is known of a version's load lately: a long and a short window for each signal. */
import type { ScaleConfig, ScaleSignal } from '../model/scale.ts';
import { LoadWindow } from './load-window.ts';

/** What gateways and agents counted in a stretch of time, all of them together. */
export interface LoadSample {
  readonly spanMs: number;
  /** Milliseconds times requests that were under way or waited. */
  readonly busyMs: number;
  /** Requests that came. */
  readonly requests: number;
  /** Milliseconds of processor time. */
  readonly cpuMs: number;
  /** Memory in use, in instances' limits: 1.5 is what one and a half instances may have. */
  readonly memory: number;
  /** Messages of its sources that waited or were being worked on. */
  readonly messages: number;
}

/** The mean of one signal over both windows. */
export interface Means {
  readonly stable: number;
  readonly burst: number;
}

/** Requests at once, requests a second, processors, instances' memory, messages. */
export type Load = Readonly<Record<ScaleSignal, Means>>;

const milliseconds = 1_000;

class Pair {
  readonly #stable: LoadWindow;
  readonly #burst: LoadWindow;

  constructor({ windowMs, burstWindowMs }: Pick<ScaleConfig, 'windowMs' | 'burstWindowMs'>) {
    this.#stable = new LoadWindow(windowMs);
    this.#burst = new LoadWindow(burstWindowMs);
  }

  add(spanMs: number, sum: number): void {
    this.#stable.add(spanMs, sum);
    this.#burst.add(spanMs, sum);
  }

  get means(): Means {
    return { stable: this.#stable.mean, burst: this.#burst.mean };
  }
}

export class LoadHistory {
  readonly #signals: Readonly<Record<ScaleSignal, Pair>>;

  constructor(windows: Pick<ScaleConfig, 'windowMs' | 'burstWindowMs'>) {
    const pair = () => new Pair(windows);
    this.#signals = { concurrency: pair(), qps: pair(), cpu: pair(), memory: pair(), lag: pair() };
  }

  add({ spanMs, busyMs, requests, cpuMs, memory, messages }: LoadSample): void {
    this.#signals.concurrency.add(spanMs, busyMs);
    this.#signals.qps.add(spanMs, requests * milliseconds);
    this.#signals.cpu.add(spanMs, cpuMs);
    this.#signals.memory.add(spanMs, memory * spanMs);
    this.#signals.lag.add(spanMs, messages * spanMs);
  }

  get load(): Load {
    const { concurrency, qps, cpu, memory, lag } = this.#signals;
    return { concurrency: concurrency.means, qps: qps.means, cpu: cpu.means, memory: memory.means, lag: lag.means };
  }
}
