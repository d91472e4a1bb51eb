/** All requests under way, in no order. An array that fills its gaps: see Streams for why it is no Set. */
export class Roster<T extends { place: number }> {
  readonly #all: T[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(exchange: T): void {
    exchange.place = this.#all.push(exchange) - 1;
  }

  delete(exchange: T): void {
    const last = this.#all.pop();
    if (last === undefined || last === exchange) return;
    this.#all[exchange.place] = last;
    last.place = exchange.place;
  }

  /** A copy: whoever looks at them may end some. */
  all(): T[] {
    return [...this.#all];
  }
}
