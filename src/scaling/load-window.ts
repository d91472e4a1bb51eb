/** The mean of a load over the time just behind. Adding and asking cost nothing that grows with the window. */

/** What came in a stretch of time: time times load, such as milliseconds times requests under way. */
interface Stretch {
  readonly spanMs: number;
  readonly sum: number;
}

/**
 * A window that slides with what is added. As long as less than its length has been added, it is as long as what there is: who knows of
 * an earlier time without load adds that, too.
 */
export class LoadWindow {
  readonly #lengthMs: number;
  #stretches: Stretch[] = [];
  #first = 0;
  #spanMs = 0;
  #sum = 0;

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /** @param sum load times milliseconds */
  add(spanMs: number, sum: number): void {
    if (spanMs <= 0) return;
    this.#stretches.push({ spanMs, sum });
    this.#spanMs += spanMs;
    this.#sum += sum;
    this.#forget();
  }

  /** 0 when nothing has been added. */
  get mean(): number {
    // What is left of the sum when all of it was taken away again may be a little below 0.
    return this.#spanMs === 0 ? 0 : Math.max(0, this.#sum) / this.#spanMs;
  }

  #forget(): void {
    for (let excessMs = this.#spanMs - this.#lengthMs; excessMs > 0; excessMs = this.#spanMs - this.#lengthMs) {
      const oldest = this.#stretches[this.#first];
      if (oldest === undefined) break;
      // Of one that reaches into the window, what is in it stays.
      const gone = oldest.spanMs <= excessMs ? oldest : { spanMs: excessMs, sum: (oldest.sum * excessMs) / oldest.spanMs };
      this.#spanMs -= gone.spanMs;
      this.#sum -= gone.sum;
      if (gone === oldest) this.#first += 1;
      else this.#stretches[this.#first] = { spanMs: oldest.spanMs - gone.spanMs, sum: oldest.sum - gone.sum };
    }
    if (this.#first * 2 <= this.#stretches.length) return;
    this.#stretches = this.#stretches.slice(this.#first);
    this.#first = 0;
  }
}
