import type { Version } from '../model/function.ts';
import { Pool } from './pool.ts';
import { type Demand, noDemand, poolSizes, type PoolRange, taken, wantedSize } from './pool-sizes.ts';
import { kindKey, kindOf, type Sandbox, type SandboxKind } from './sandbox/sandbox.ts';
import type { Sandboxes } from './sandbox/sandboxes.ts';

export interface PoolsMeans {
  readonly sandboxes: Pick<Sandboxes, 'boot' | 'room'>;
  /** Warm sandboxes of each pool: in between it is as many as a burst took not long ago. */
  readonly range: PoolRange;
  /** What all warm sandboxes together may take. */
  readonly budgetBytes: number;
  /** Milliseconds of a clock that does not go back. */
  readonly now: () => number;
  /** Boots of each pool at once to refill it, and for those who wait. */
  readonly bootsAtOnce: number;
  readonly waitedBootsAtOnce: number;
  /** Does ahead what can be done before it is known which version a booted sandbox is for. @param like the version that took the one before it */
  prepare(sandbox: Sandbox, like: Version | undefined): void;
  /** Whether what was done ahead is what this version needs. */
  suits(sandbox: Sandbox, version: Version): boolean;
  /** Ends an idle instance to make room for one of this version, and resolves when it is gone. */
  endOldestIdle(version: Version): Promise<unknown>;
}

/** What a warm sandbox takes at least, before one was looked at: an idle Node.js 26 with its sandbox. */
const leastBytes = 10 * 1024 * 1024;

/** What was seen is rounded up to, so that no pool grows and shrinks with each page. */
const stepBytes = 4 * 1024 * 1024;

/** The pools of one host: one for each kind of sandbox that some function needs, and always the usual one. */
export class Pools {
  readonly #means: PoolsMeans;
  readonly #pools = new Map<string, Pool>();
  readonly #usual: SandboxKind;
  /** Of the pools that some version needs. */
  readonly #demand = new Map<string, Demand>();
  /** Versions that took a sandbox whose successor has not booted yet: what was taken is what will be asked for. */
  readonly #taken = new Map<string, Version[]>();

  constructor(means: PoolsMeans, usual: SandboxKind) {
    this.#means = means;
    this.#usual = usual;
    this.#demand.set(kindKey(usual), noDemand);
    this.#pool(usual);
    this.look();
  }

  get all(): Iterable<Pool> {
    return this.#pools.values();
  }

  /** Keeps pools for exactly the kinds that these versions need. */
  serve(versions: Iterable<Version>): void {
    const needed = new Map([[kindKey(this.#usual), this.#usual]]);
    for (const { config } of versions) {
      const kind = kindOf(config);
      needed.set(kindKey(kind), kind);
    }
    for (const kind of needed.values()) this.#pool(kind);
    for (const key of this.#pools.keys()) if (!needed.has(key)) this.#demand.delete(key);
    for (const key of needed.keys()) this.#demand.set(key, this.#demand.get(key) ?? noDemand);
    this.look();
  }

  /** Lets each pool's size follow its demand; to be called a few times a second. */
  look(): void {
    const { range, budgetBytes, now } = this.#means;
    const at = now();
    const wishes = [...this.#demand].map(([key, demand]) => {
      const seen = this.#pools.get(key)?.lookAtMemory() ?? 0;
      const bytesEach = Math.max(leastBytes, Math.ceil(seen / stepBytes) * stepBytes);
      return { key, wanted: wantedSize(demand, at, range), minimum: range.minimum, bytesEach };
    });
    const sizes = poolSizes(wishes, budgetBytes);
    for (const [key, pool] of this.#pools) {
      const size = sizes.get(key) ?? 0;
      if (pool.target !== size) pool.resize(size);
    }
  }

  /**
   * A booted sandbox for a version. When the host is full, what is warm for others or idle gives way.
   * @param id the instance's that it will be
   * @throws SwiftletError HostFull, and Unavailable when it is withdrawn
   */
  async take(version: Version, id: string): Promise<Sandbox> {
    const pool = this.#pool(kindOf(version.config));
    if (pool.ready === 0 && this.#means.sandboxes.room === 0) await this.#makeRoom(pool, version);
    this.#expect(pool, version);
    const key = kindKey(pool.kind);
    const demand = this.#demand.get(key);
    if (demand !== undefined) this.#demand.set(key, taken(demand, this.#means.now()));
    return pool.take(version.tenant, id, (sandbox) => this.#means.suits(sandbox, version));
  }

  /** Nobody wants the sandbox any more that an instance waits for. One that has its own goes on. */
  withdraw(id: string): void {
    for (const pool of this.#pools.values()) pool.withdraw(id);
  }

  /** Adds a warm sandbox that an earlier agent booted. */
  add(sandbox: Sandbox): void {
    this.#means.prepare(sandbox, undefined);
    this.#pool(sandbox.kind).add(sandbox);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  async #makeRoom(wanting: Pool, version: Version): Promise<void> {
    const rich = [...this.#pools.values()].find((pool) => pool !== wanting && pool.ready > 0);
    await (rich === undefined ? this.#means.endOldestIdle(version) : rich.yieldOne());
  }

  async #boot(kind: SandboxKind): Promise<Sandbox> {
    const sandbox = await this.#means.sandboxes.boot(kind);
    this.#means.prepare(sandbox, this.#taken.get(kindKey(kind))?.shift());
    return sandbox;
  }

  #expect(pool: Pool, version: Version): void {
    const key = kindKey(pool.kind);
    const expected = this.#taken.get(key) ?? [];
    expected.push(version);
    // More than there will be warm ones at once say nothing new.
    if (expected.length > Math.max(pool.target, this.#means.range.minimum)) expected.shift();
    this.#taken.set(key, expected);
  }

  #pool(kind: SandboxKind): Pool {
    const key = kindKey(kind);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      const { sandboxes, bootsAtOnce, waitedBootsAtOnce } = this.#means;
      pool = new Pool(kind, { boot: (wanted) => this.#boot(wanted), room: () => sandboxes.room, bootsAtOnce, waitedBootsAtOnce });
      this.#pools.set(key, pool);
    }
    return pool;
  }
}
