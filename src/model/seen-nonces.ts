/** Nonces of signatures that a function has taken, so that none is taken twice: the last ones, for as long as their time would let them in. */

/** Of one function; behind so many, the one that came first is forgotten. */
const maxNonces = 50_000;

export class SeenNonces {
  /** By the functions' keys: until when each nonce is remembered, oldest first. */
  readonly #seen = new Map<string, Map<string, number>>();

  /** Remembers a nonce. @returns whether it is new */
  add(key: string, nonce: string, untilMs: number, nowMs: number): boolean {
    const nonces = this.#seen.get(key) ?? new Map<string, number>();
    this.#seen.set(key, nonces);
    for (const [oldest, until] of nonces) {
      if (until > nowMs && nonces.size < maxNonces) break;
      nonces.delete(oldest);
    }
    if ((nonces.get(nonce) ?? 0) > nowMs) return false;
    nonces.set(nonce, untilMs);
    return true;
  }

  /** Those that are remembered, for somebody who has to know them, too. */
  *all(): Iterable<{ readonly key: string; readonly nonce: string; readonly untilMs: number }> {
    for (const [key, nonces] of this.#seen) for (const [nonce, untilMs] of nonces) yield { key, nonce, untilMs };
  }

  /** Forgets functions that are gone. */
  forgetAllBut(functions: ReadonlyMap<string, unknown>): void {
    for (const key of this.#seen.keys()) if (!functions.has(key)) this.#seen.delete(key);
  }
}
