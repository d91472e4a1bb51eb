/** Builds wait for their turn: some at once on the platform, one of each tenant, and of each tenant so many that wait. */
import { SwiftletError } from '../../model/errors.ts';

export interface BuildQueueLimits {
  /** At once, on the platform and of one tenant. */
  readonly platform: number;
  readonly tenant: number;
  /** That wait, of one tenant. */
  readonly waiting: number;
}

interface Waiting {
  readonly tenant: string;
  readonly begin: () => void;
}

/** A place among the builds, or in front of them. Disposing gives it back, once. */
export interface BuildPlace extends Disposable {
  /** Builds that are to end, or to begin, before this one; 0 when it may begin. */
  readonly before: number;
  /** Resolves when it may begin. @throws the signal's reason */
  begun(signal: AbortSignal): Promise<void>;
}

/**
 * Whose turn it is: the first that waits and whose tenant has room.
 * @param running the tenants of those that run @param waiting of those that wait, first come first
 * @returns its place among those that wait; undefined when all have to
 */
export function nextBuild(running: readonly string[], waiting: readonly string[], limits: BuildQueueLimits): number | undefined {
  if (running.length >= limits.platform) return undefined;
  const at = waiting.findIndex((tenant) => running.filter((one) => one === tenant).length < limits.tenant);
  return at === -1 ? undefined : at;
}

export class BuildQueue {
  readonly #limits: BuildQueueLimits;
  readonly #running: string[] = [];
  readonly #waiting: Waiting[] = [];

  constructor(limits: BuildQueueLimits) {
    this.#limits = limits;
  }

  /** @throws SwiftletError TooManyRequests when too many of the tenant's wait already */
  take(tenant: string): BuildPlace {
    const own = this.#waiting.filter((one) => one.tenant === tenant).length;
    if (own >= this.#limits.waiting)
      throw new SwiftletError('TooManyRequests', `${own} builds of tenant "${tenant}" wait already; deploy again when some have ended`);
    const turn = Promise.withResolvers<undefined>();
    const waiting: Waiting = { tenant, begin: () => turn.resolve(undefined) };
    this.#waiting.push(waiting);
    this.#start();
    let isBack = false;
    return {
      before: this.#waiting.indexOf(waiting) + 1,
      begun: (signal) => orAborted(turn.promise, signal),
      [Symbol.dispose]: () => {
        if (isBack) return;
        isBack = true;
        if (!remove(this.#waiting, waiting)) remove(this.#running, tenant);
        this.#start();
      },
    };
  }

  #start(): void {
    for (;;) {
      const at = nextBuild(
        this.#running,
        this.#waiting.map(({ tenant }) => tenant),
        this.#limits,
      );
      const [next] = at === undefined ? [] : this.#waiting.splice(at, 1);
      if (next === undefined) return;
      this.#running.push(next.tenant);
      next.begin();
    }
  }
}

/** @returns whether it was there */
function remove<T>(list: T[], one: T): boolean {
  const at = list.indexOf(one);
  if (at !== -1) list.splice(at, 1);
  return at !== -1;
}

async function orAborted(work: Promise<undefined>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason as Error);
  signal.addEventListener('abort', abort);
  try {
    signal.throwIfAborted();
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
