/**
 * The requests on one connection, by the numbers of their streams: fixed places that are taken in turn. A Map with as much coming and
 * going would keep what left it alive until V8's next full collection, and with it the request and its answer.
 */
export class Streams<T extends { readonly stream: number }> {
  readonly #places: (T | undefined)[];
  readonly #free: number[];
  /** How often each place was taken; it makes a stream's number unique on the connection. */
  readonly #turns: number[];

  /** @param count requests that may be on it at once */
  constructor(count: number) {
    this.#places = new Array<T | undefined>(count).fill(undefined);
    this.#turns = new Array<number>(count).fill(0);
    this.#free = Array.from({ length: count }, (_, place) => count - 1 - place);
  }

  get size(): number {
    return this.#places.length - this.#free.length;
  }

  /** Takes a place. @returns the stream's number, which is over 0 and fits 32 bits @throws RangeError when there is none */
  enter(exchange: T): number {
    const place = this.#free.pop();
    if (place === undefined) throw new RangeError(`more than ${this.#places.length} requests on one instance`);
    const count = this.#places.length;
    const turn = this.#turns[place] ?? 0;
    this.#places[place] = exchange;
    this.#turns[place] = (turn + 2) * count < 0xffff_ffff ? turn + 1 : 0;
    return turn * count + place + 1;
  }

  get(stream: number): T | undefined {
    const exchange = this.#places[(stream - 1) % this.#places.length];
    return exchange?.stream === stream ? exchange : undefined;
  }

  delete(stream: number): void {
    if (this.get(stream) === undefined) return;
    const place = (stream - 1) % this.#places.length;
    this.#places[place] = undefined;
    this.#free.push(place);
  }

  *values(): IterableIterator<T> {
    for (const exchange of this.#places) if (exchange !== undefined) yield exchange;
  }

  clear(): void {
    for (const { stream } of [...this.values()]) this.delete(stream);
  }
}
