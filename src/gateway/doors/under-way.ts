import { addAbortListener } from 'node:events';

/** The requests that a door has under way, for a stop that waits for them. */
export class UnderWay {
  #count = 0;
  #emptied: (() => void) | undefined;

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#emptied?.();
  }

  /** Resolves when there is none, or its time is over. */
  async drain(graceOver: AbortSignal): Promise<void> {
    if (this.#count === 0 || graceOver.aborted) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#emptied = () => resolve(undefined);
    using _late = addAbortListener(graceOver, this.#emptied);
    await promise;
  }
}
