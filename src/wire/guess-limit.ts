/** Wrong tokens that one source may send: so many at once, and one more after each pause. */
const allowed = 30;
const pauseMs = 2_000;
/** Sources that are remembered; behind so many, the one that guessed longest ago is forgotten. */
const maxSources = 10_000;

/** Counts wrong guesses by source, as a bucket that leaks. Time is an argument. */
export class GuessLimit {
  readonly #sources = new Map<string, { readonly level: number; readonly at: number }>();

  /**
   * Notes a wrong guess.
   * @returns seconds after which the source may guess again, when it has guessed too often; undefined otherwise
   */
  wrong(source: string, nowMs: number): number | undefined {
    const last = this.#sources.get(source);
    const level = last === undefined ? 0 : Math.max(0, last.level - (nowMs - last.at) / pauseMs);
    if (level + 1 > allowed) return Math.ceil(((level + 1 - allowed) * pauseMs) / 1_000);
    // Taken out first, so that the map is in the order of the last guess.
    this.#sources.delete(source);
    this.#sources.set(source, { level: level + 1, at: nowMs });
    const [oldest] = this.#sources.keys();
    if (this.#sources.size > maxSources && oldest !== undefined) this.#sources.delete(oldest);
    return undefined;
  }
}
