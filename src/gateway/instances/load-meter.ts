/**
 * What a version's instances have to do: requests under way, as a sum over time. Those that wait are the activator's: if they counted, a wait
 * for slow starts would be taken for load, and ask for more of them. Budget: 10 ns a request.
 */
export class LoadMeter {
  /** Requests that instances have. */
  busy = 0;
  /** Requests that came. */
  requests = 0;
  #busyMs = 0;
  #lastMs = 0;

  /** One came; it may have to wait. */
  arrived(nowMs: number): void {
    this.#goTo(nowMs);
    this.requests += 1;
  }

  /** An instance has it. */
  began(nowMs: number): void {
    this.#goTo(nowMs);
    this.busy += 1;
  }

  ended(nowMs: number): void {
    this.#goTo(nowMs);
    this.busy -= 1;
  }

  /** Milliseconds times requests, from the beginning until now. */
  busyMs(nowMs: number): number {
    return this.#busyMs + this.busy * Math.max(0, nowMs - this.#lastMs);
  }

  /** Whether there was a request within the last so many milliseconds. */
  wasBusyWithin(ms: number, nowMs: number): boolean {
    return this.busy > 0 || (this.requests > 0 && nowMs - this.#lastMs <= ms);
  }

  /** Nobody is told any more of what it had to do: when it has something again, that is all that there is to tell. */
  forget(): void {
    this.requests = 0;
    this.#busyMs = 0;
  }

  #goTo(nowMs: number): void {
    this.#busyMs = this.busyMs(nowMs);
    if (nowMs > this.#lastMs) this.#lastMs = nowMs;
  }
}
