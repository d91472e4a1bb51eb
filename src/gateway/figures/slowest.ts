/** Which requests are worth keeping: the slowest of each hour. Budget: 10 ns for one that is not. */

const kept = 100;
const hourMs = 3_600_000;

/** The longest times of a function's requests in the current hour, as many as are kept. */
export class Slowest {
  /** Made by the first request: most functions have none for long. */
  #times: Float64Array | undefined;
  #count = 0;
  /** The place of the shortest, once there are as many as are kept. */
  #shortest = 0;
  #until = 0;

  /**
   * Whether a request is among the slowest so far. It is from then on.
   * @param now milliseconds of a monotonic clock
   */
  takes(ms: number, now: number): boolean {
    if (now >= this.#until) {
      this.#until = now + hourMs;
      this.#count = 0;
    }
    const times = (this.#times ??= new Float64Array(kept));
    if (this.#count < kept) {
      times[this.#count] = ms;
      this.#count += 1;
      if (this.#count === kept) this.#shortest = shortestOf(times);
      return true;
    }
    if (ms <= (times[this.#shortest] ?? 0)) return false;
    times[this.#shortest] = ms;
    this.#shortest = shortestOf(times);
    return true;
  }
}

const shortestOf = (times: Float64Array): number => times.indexOf(Math.min(...times));
