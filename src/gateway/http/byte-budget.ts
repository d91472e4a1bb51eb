/** Bytes that may be held for somebody at once: so many for each, and so many for all. */
export class ByteBudget {
  readonly #each: number;
  readonly #all: number;
  readonly #held = new Map<string, number>();
  #sum = 0;

  constructor(limits: { readonly each: number; readonly all: number }) {
    this.#each = limits.each;
    this.#all = limits.all;
  }

  get held(): number {
    return this.#sum;
  }

  /** @returns false, with nothing taken, when it is too much */
  take(key: string, bytes: number): boolean {
    const own = (this.#held.get(key) ?? 0) + bytes;
    if (own > this.#each || this.#sum + bytes > this.#all) return false;
    this.#held.set(key, own);
    this.#sum += bytes;
    return true;
  }

  /** Gives back what was taken. */
  give(key: string, bytes: number): void {
    const own = (this.#held.get(key) ?? 0) - bytes;
    if (own > 0) this.#held.set(key, own);
    else this.#held.delete(key);
    this.#sum -= bytes;
  }
}
