/** Warm sandboxes of one kind. Serves the sandbox phase of a cold start: a take from a full pool is synchronous work only. */
import { SwiftletError } from '../model/errors.ts';
import type { Sandbox, SandboxKind } from './sandbox/sandbox.ts';

export interface PoolCounts {
  readonly target: number;
  readonly ready: number;
  readonly booting: number;
  readonly waiting: number;
  /** Sandboxes the host has room for. */
  readonly room: number;
  readonly bootsAtOnce: number;
}

/**
 * How many boots to start now. Whoever waits gets one each, whatever it costs; the refill takes its time, so that it does not
 * take the CPU from requests.
 */
export function bootsToStart({ target, ready, booting, waiting, room, bootsAtOnce }: PoolCounts): number {
  const forWaiting = Math.max(0, waiting - booting);
  const missing = Math.max(0, target + waiting - ready - booting - forWaiting);
  const refill = Math.min(missing, Math.max(0, bootsAtOnce - booting - forWaiting));
  return Math.min(room, forWaiting + refill);
}

interface Taker {
  readonly resolve: (sandbox: Sandbox) => void;
  readonly reject: (error: Error) => void;
}

/** The start that a sandbox is taken for has the processors to itself for so long; then the next one boots. */
const takerFirstMs = 5;
const firstPauseMs = 100;
const longestPauseMs = 10_000;

export class Pool {
  readonly kind: SandboxKind;
  readonly #boot: (kind: SandboxKind) => Promise<Sandbox>;
  readonly #room: () => number;
  readonly #bootsAtOnce: number;
  readonly #ready: Sandbox[] = [];
  readonly #takers: Taker[] = [];
  readonly #boots = new Set<Promise<void>>();
  #target = 0;
  #pauseMs = firstPauseMs;
  #pause: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(kind: SandboxKind, options: { boot: (kind: SandboxKind) => Promise<Sandbox>; room: () => number; bootsAtOnce: number }) {
    this.kind = kind;
    this.#boot = options.boot;
    this.#room = options.room;
    this.#bootsAtOnce = options.bootsAtOnce;
  }

  get ready(): number {
    return this.#ready.length;
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
    const taker = this.#takers.shift();
    if (taker === undefined) this.#ready.push(sandbox);
    else taker.resolve(sandbox);
  }

  /** The oldest warm sandbox, or one that boots now. Its owner is the taker from then on. @throws what booting throws */
  take(): Promise<Sandbox> {
    const sandbox = this.#ready.shift();
    if (sandbox !== undefined) {
      this.#refillSoon();
      return Promise.resolve(sandbox);
    }
    if (this.#room() + this.#boots.size <= this.#takers.length) {
      return Promise.reject(
        new SwiftletError(
          'HostFull',
          'this host has no room for another sandbox; raise SWIFTLET_MAX_SANDBOXES or wait until instances are idle',
        ),
      );
    }
    const { promise, resolve, reject } = Promise.withResolvers<Sandbox>();
    this.#takers.push({ resolve, reject });
    this.#refill();
    return promise;
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

  #refillSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#refill();
    }, takerFirstMs);
  }

  #refill(): void {
    if (this.#closed) return;
    const waiting = this.#takers.length;
    // After a failed boot the refill pauses; whoever waits does not.
    const target = this.#pause === undefined ? this.#target : 0;
    const count = bootsToStart({
      target,
      ready: this.#ready.length,
      booting: this.#boots.size,
      waiting,
      room: this.#room(),
      bootsAtOnce: this.#bootsAtOnce,
    });
    for (let started = 0; started < count; started++) {
      const boot: Promise<void> = this.#bootOne().finally(() => {
        this.#boots.delete(boot);
        this.#refill();
      });
      this.#boots.add(boot);
    }
  }

  async #bootOne(): Promise<void> {
    try {
      const sandbox = await this.#boot(this.kind);
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
      this.#takers.shift()?.reject(error instanceof Error ? error : new Error(String(error)));
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
