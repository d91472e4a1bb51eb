/** What is to happen when: a binary heap of moments with a number each. Of equal moments the one that was added first comes first. */
export class TimeQueue {
  readonly #times: number[] = [];
  readonly #orders: number[] = [];
  readonly #values: number[] = [];
  #added = 0;

  /** The next moment; infinite when nothing is to happen. */
  get nextMs(): number {
    return this.#times[0] ?? Infinity;
  }

  add(atMs: number, value: number): void {
    let at = this.#times.length;
    const order = this.#added++;
    for (; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#isAfter(parent, atMs, order)) break;
      this.#move(parent, at);
      at = parent;
    }
    this.#put(at, atMs, order, value);
  }

  /** Takes what is next out. @returns its number; -1 when there is nothing */
  take(): number {
    const taken = this.#values[0] ?? -1;
    const [atMs = 0, order = 0, value = 0] = [this.#times.pop(), this.#orders.pop(), this.#values.pop()];
    const size = this.#times.length;
    if (size === 0) return taken;
    let at = 0;
    for (let child = 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.#isAfter(child, this.#times[child + 1] ?? 0, this.#orders[child + 1] ?? 0)) child += 1;
      if (this.#isAfter(child, atMs, order)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, atMs, order, value);
    return taken;
  }

  #isAfter(at: number, atMs: number, order: number): boolean {
    const time = this.#times[at] ?? 0;
    return time > atMs || (time === atMs && (this.#orders[at] ?? 0) > order);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#times[from] ?? 0, this.#orders[from] ?? 0, this.#values[from] ?? 0);
  }

  #put(at: number, atMs: number, order: number, value: number): void {
    this.#times[at] = atMs;
    this.#orders[at] = order;
    this.#values[at] = value;
  }
}
