/** Warm sandboxes of one kind. Serves the sandbox phase of a cold start: a take from a full pool is synchronous work only. */
import { SwiftletError } from '../model/errors.ts';
import { burstPauseMs, startsFirst } from './refill-turn.ts';
import type { Sandbox, SandboxKind } from './sandbox/sandbox.ts';

export interface PoolCounts {
  readonly target: number;
  readonly ready: number;
  readonly booting: number;
  readonly waiting: number;
  /** Sandboxes the host has room for. */
  readonly room: number;
  /** Boots at once to refill, and for those who wait. */
  readonly bootsAtOnce: number;
  readonly waitedBootsAtOnce: number;
}

/** Boots for those who wait, for each processor: it takes no more to keep it busy, and more would only all be there later. */
export const waitedBootsPerProcessor = 4;

/**
 * How many boots to start now. Who waits comes first, as far as the processors can do it at once; the refill takes its time, so that it does
 * not take them from requests.
 */
export function bootsToStart({ target, ready, booting, waiting, room, bootsAtOnce, waitedBootsAtOnce }: PoolCounts): number {
  const forWaiting = Math.max(0, Math.min(waiting, waitedBootsAtOnce) - booting);
  const missing = Math.max(0, target + waiting - ready - booting - forWaiting);
  const refill = Math.min(missing, Math.max(0, bootsAtOnce - booting - forWaiting));
  return Math.min(room, forWaiting + refill);
}

/** Nobody waits any more for what was asked for. */
export class Withdrawn extends SwiftletError {
  constructor() {
    super('Unavailable', 'nobody waits for this instance any more');
  }
}

interface Taker {
  readonly tenant: string;
  /** The instance that it will be. */
  readonly id: string;
  readonly resolve: (sandbox: Sandbox) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Whose turn it is of those who wait: of the tenant that got the fewest since somebody waits, so that one who starts hundreds does not keep
 * another one from his first; of one tenant, who came first.
 * @param given what each got
 * @returns the index; -1 when nobody waits
 */
export function nextTaker(takers: readonly { readonly tenant: string }[], given: ReadonlyMap<string, number>): number {
  let next = -1;
  let fewest = Infinity;
  for (const [at, { tenant }] of takers.entries()) {
    const got = given.get(tenant) ?? 0;
    if (got >= fewest) continue;
    [next, fewest] = [at, got];
  }
  return next;
}

/** How often it is looked whether starts still go first. */
const turnEveryMs = 5;
const firstPauseMs = 100;
const longestPauseMs = 10_000;

export interface PoolMeans {
  boot(kind: SandboxKind): Promise<Sandbox>;
  /** Sandboxes that the host has room for. */
  room(): number;
  /** Whether starts are under way. */
  readonly areStarting: () => boolean;
  /** Milliseconds of a clock that does not go back. */
  now(): number;
  readonly bootsAtOnce: number;
  readonly waitedBootsAtOnce: number;
}

export class Pool {
  readonly kind: SandboxKind;
  readonly #means: PoolMeans;
  readonly #ready: Sandbox[] = [];
  readonly #takers: Taker[] = [];
  /** What tenants got since somebody waits. */
  readonly #given = new Map<string, number>();
  readonly #boots = new Set<Promise<void>>();
  #target = 0;
  #takenAt = -Infinity;
  /** When the first one was taken of those that go before the refill. */
  #burstSince: number | undefined;
  #bytesEach = 0;
  #pauseMs = firstPauseMs;
  #pause: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(kind: SandboxKind, means: PoolMeans) {
    this.kind = kind;
    this.#means = means;
  }

  get ready(): number {
    return this.#ready.length;
  }

  /** What a warm one takes of the host's memory, as one was seen to do last; 0 when that is not known. */
  lookAtMemory(): number {
    this.#bytesEach = this.#ready[0]?.memoryBytes() ?? this.#bytesEach;
    return this.#bytesEach;
  }

  get target(): number {
    return this.#target;
  }

  get booting(): number {
    return this.#boots.size;
  }

  resize(target: number): void {
    this.#target = target;
    while (this.#ready.length > target) this.#ready.pop()?.kill();
    this.#refill();
  }

  /** Adds a sandbox that somebody else booted. */
  add(sandbox: Sandbox): void {
    void sandbox.ended.then(() => this.#forget(sandbox));
    const taker = this.#nextTaker();
    if (taker === undefined) this.#ready.push(sandbox);
    else taker.resolve(sandbox);
  }

  /**
   * The oldest warm sandbox that suits, or else the oldest, or else one that boots now. Its owner is the taker from then on.
   * @param tenant whose it will be
   * @param id the instance's that it will be
   * @throws what booting throws; SwiftletError HostFull, and Unavailable when it is withdrawn
   */
  take(tenant: string, id: string, suits: (sandbox: Sandbox) => boolean = () => true): Promise<Sandbox> {
    const [sandbox] = this.#ready.splice(Math.max(0, this.#ready.findIndex(suits)), 1);
    this.#takenAt = this.#means.now();
    if (sandbox !== undefined) {
      this.#refillSoon();
      return Promise.resolve(sandbox);
    }
    if (this.#means.room() + this.#boots.size <= this.#takers.length) {
      return Promise.reject(
        new SwiftletError(
          'HostFull',
          'this host has no room for another sandbox; raise SWIFTLET_MAX_SANDBOXES or wait until instances are idle',
        ),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<Sandbox>();
    this.#takers.push({ tenant, id, resolve, reject });
    this.#refill();
    return promise;
  }

  /** Nobody wants a sandbox any more that was waited for. One that boots for it goes on, for somebody else. */
  withdraw(id: string): void {
    const at = this.#takers.findIndex((taker) => taker.id === id);
    const [taker] = at < 0 ? [] : this.#takers.splice(at, 1);
    taker?.reject(new Withdrawn());
    if (this.#takers.length === 0) this.#given.clear();
  }

  /** Gives up one warm sandbox to make room, and resolves when it is gone. */
  async yieldOne(): Promise<void> {
    const sandbox = this.#ready.pop();
    sandbox?.kill();
    await sandbox?.ended;
  }

  /** Ends all warm sandboxes, and those that boot now. Resolves when nothing is left of them. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pause);
    clearTimeout(this.#soon);
    for (const taker of this.#takers.splice(0)) taker.reject(new SwiftletError('Unavailable', 'the agent is stopping'));
    const ending = this.#ready.splice(0);
    for (const sandbox of ending) sandbox.kill();
    await Promise.all([...ending.map((sandbox) => sandbox.ended), ...this.#boots]);
  }

  #nextTaker(): Taker | undefined {
    const at = nextTaker(this.#takers, this.#given);
    const taker = this.#takers[at];
    if (taker === undefined) return undefined;
    this.#takers.splice(at, 1);
    this.#given.set(taker.tenant, (this.#given.get(taker.tenant) ?? 0) + 1);
    if (this.#takers.length === 0) this.#given.clear();
    return taker;
  }

  #refillSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#refill();
    }, turnEveryMs);
  }

  #refill(): void {
    if (this.#closed) return;
    const waiting = this.#takers.length;
    // After a failed boot the refill pauses, and while starts go first; whoever waits does not.
    const target = this.#pause === undefined && !this.#letStartsGoFirst() ? this.#target : 0;
    const count = bootsToStart({
      target,
      ready: this.#ready.length,
      booting: this.#boots.size,
      waiting,
      room: this.#means.room(),
      bootsAtOnce: this.#means.bootsAtOnce,
      waitedBootsAtOnce: this.#means.waitedBootsAtOnce,
    });
    for (let started = 0; started < count; started++) {
      const boot: Promise<void> = this.#bootOne().finally(() => {
        this.#boots.delete(boot);
        this.#refill();
      });
      this.#boots.add(boot);
    }
  }

  /** @returns whether the refill is for later; then it is looked again soon */
  #letStartsGoFirst(): boolean {
    if (this.#ready.length + this.#boots.size >= this.#target) return false;
    const now = this.#means.now();
    const areStarting = this.#means.areStarting();
    if (!areStarting && now - this.#takenAt >= burstPauseMs) {
      this.#burstSince = undefined;
      return false;
    }
    this.#burstSince ??= now;
    const isFirst = startsFirst({ burstMs: now - this.#burstSince, areStarting, ready: this.#ready.length, target: this.#target });
    if (isFirst) this.#refillSoon();
    return isFirst;
  }

  async #bootOne(): Promise<void> {
    try {
      const sandbox = await this.#means.boot(this.kind);
      this.#pauseMs = firstPauseMs;
      // While it booted the pool may have become smaller.
      const isWanted = this.#takers.length > 0 || this.#ready.length < this.#target;
      if (isWanted && !this.#closed) {
        this.add(sandbox);
        return;
      }
      sandbox.kill();
      await sandbox.ended;
    } catch (error) {
      this.#nextTaker()?.reject(error instanceof Error ? error : new Error(String(error)));
      this.#pauseRefill();
    }
  }

  #pauseRefill(): void {
    if (this.#closed) return;
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#refill();
    }, this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, longestPauseMs);
  }

  #forget(sandbox: Sandbox): void {
    const at = this.#ready.indexOf(sandbox);
    if (at < 0) return;
    this.#ready.splice(at, 1);
    this.#refill();
  }
}
