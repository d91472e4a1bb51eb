/** Places for invocations that all sources share: each holds a batch in memory. Who finds none is woken when one is free. */
export class Places {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** @param wake called once when a place is free, if there is none now @returns what frees the place, once */
  take(wake: () => void): Disposable | undefined {
    if (this.#free === 0) {
      this.#waiting.add(wake);
      return undefined;
    }
    this.#free -= 1;
    let isTaken = true;
    return {
      [Symbol.dispose]: () => {
        if (!isTaken) return;
        isTaken = false;
        this.#free += 1;
        const [next] = this.#waiting;
        if (next === undefined) return;
        this.#waiting.delete(next);
        next();
      },
    };
  }
}
