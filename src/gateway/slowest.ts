/** Which requests are worth keeping: the slowest of each hour. Budget: 10 ns for one that is not. */

const kept = 100;
const hourMs = 3_600_000;

/** The longest times of a function's requests in the current hour, as many as are kept. */
export class Slowest {
  readonly #times = new Float64Array(kept);
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
    if (this.#count < kept) {
      this.#times[this.#count] = ms;
      this.#count += 1;
      if (this.#count === kept) this.#find();
      return true;
    }
    if (ms <= (this.#times[this.#shortest] ?? 0)) return false;
    this.#times[this.#shortest] = ms;
    this.#find();
    return true;
  }

  #find(): void {
    this.#shortest = this.#times.indexOf(Math.min(...this.#times));
  }
}
