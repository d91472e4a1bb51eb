/** Work that is done in rounds, one at a time: when somebody wakes it, and again when it says. */

const shortestSleepMs = 1;

export interface RoundsMeans {
  /** One round. Never rejects. @returns when the next one is due, in milliseconds since 1970, if nobody wakes it before */
  readonly look: (nowMs: number) => Promise<number>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A host's clock can be set, and a call to wake be missed. */
  readonly longestSleepMs: number;
}

export class Rounds {
  readonly #means: RoundsMeans;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Immediate | undefined;
  #running: Promise<void> | undefined;
  #isWanted = false;
  #isStopped = false;

  constructor(means: RoundsMeans) {
    this.#means = means;
  }

  /** There may be something to do: a round begins soon, or follows the one that is under way. */
  wake(): void {
    this.#isWanted = true;
    if (this.#isStopped) return;
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.#running ??= this.#run().finally(() => (this.#running = undefined));
    });
  }

  /** Begins no more rounds, and resolves when none is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#soon);
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false;
      this.#sleepUntil(await this.#means.look(this.#means.now()));
    }
  }

  #sleepUntil(nextMs: number): void {
    clearTimeout(this.#timer);
    if (this.#isStopped) return;
    const ms = Math.min(this.#means.longestSleepMs, Math.max(shortestSleepMs, nextMs - this.#means.now()));
    this.#timer = setTimeout(() => this.wake(), ms);
  }
}
