import type { Exchange } from './exchange.ts';

/** All requests under way, in no order. An array that fills its gaps: see Streams for why it is no Set. */
export class Roster {
  readonly #all: Exchange[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(exchange: Exchange): void {
    exchange.place = this.#all.push(exchange) - 1;
  }

  delete(exchange: Exchange): void {
    const last = this.#all.pop();
    if (last === undefined || last === exchange) return;
    this.#all[exchange.place] = last;
    last.place = exchange.place;
  }

  /** A copy: whoever looks at them may end some. */
  all(): Exchange[] {
    return [...this.#all];
  }
}
