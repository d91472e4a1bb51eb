/** Holds a build to its limits of time and processes. */
import type { BuildSandbox } from './build-sandbox.ts';

/** What a build was ended for. */
export type Exceeded = 'time' | 'processes';

const lookEveryMs = 100;

export class BuildWatch implements Disposable {
  readonly #timer: NodeJS.Timeout;
  readonly #look: NodeJS.Timeout;
  #exceeded: Exceeded | undefined;

  constructor(sandbox: Pick<BuildSandbox, 'kill' | 'pidsRefused'>, timeoutMs: number) {
    const end = (why: Exceeded) => {
      this.#exceeded ??= why;
      sandbox.kill();
    };
    this.#timer = setTimeout(() => end('time'), timeoutMs);
    this.#look = setInterval(() => {
      if (sandbox.pidsRefused() > 0) end('processes');
    }, lookEveryMs);
  }

  /** Undefined while it keeps to its limits. */
  get exceeded(): Exceeded | undefined {
    return this.#exceeded;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    clearInterval(this.#look);
  }
}
