import type { Version } from '../model/function.ts';
import type { CustomPoolStatus } from '../wire/agent-calls.ts';
import { Pool } from './pool.ts';
import { type Demand, noDemand, poolSizes, type PoolRange, taken, wantedSize } from './pool-sizes.ts';
import type { CustomKind } from './custom-kind.ts';
import { kindFor, kindKey, kindOf, type Sandbox, type SandboxKind } from './sandbox/sandbox.ts';
import type { Sandboxes } from './sandbox/sandboxes.ts';

export interface PoolsMeans {
  readonly sandboxes: Pick<Sandboxes, 'boot' | 'room'>;
  /** Whether starts are under way: they go before the refill. */
  readonly areStarting: () => boolean;
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
  /** Has a custom pool's sandbox import what it is to. @returns what could not be @throws SwiftletError; the sandbox is ended then */
  preload(sandbox: Sandbox, custom: CustomKind): Promise<readonly string[]>;
  /** Ends an idle instance to make room for one of this version, and resolves when it is gone. */
  endOldestIdle(version: Version): Promise<unknown>;
}

/** What a warm sandbox takes at least, before one was looked at: an idle Node.js 26 with its sandbox. */
const leastBytes = 10 * 1024 * 1024;

/** What was seen is rounded up to, so that no pool grows and shrinks with each page. */
const stepBytes = 4 * 1024 * 1024;

/** The pools of one host: one for each kind of sandbox that some function needs, custom ones among them, and always the usual one. */
export class Pools {
  readonly #means: PoolsMeans;
  readonly #pools = new Map<string, Pool>();
  readonly #usual: SandboxKind;
  /** Of the pools that some version needs. */
  readonly #demand = new Map<string, Demand>();
  /** Versions that took a sandbox whose successor has not booted yet: what was taken is what will be asked for. */
  readonly #taken = new Map<string, Version[]>();
  /** Of custom pools: what their last sandbox could not import. */
  readonly #failures = new Map<string, readonly string[]>();

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

  /** Of each kind that any tenant may have, how many are ready. */
  get warm(): { readonly runtime: string; readonly memoryMiB: number; readonly ready: number }[] {
    const shared = [...this.#pools.values()].filter(({ kind }) => kind.custom === undefined);
    return shared.map(({ kind: { runtime, memoryMiB }, ready }) => ({ runtime, memoryMiB, ready }));
  }

  /** Keeps pools for exactly the kinds that these versions need. */
  serve(versions: Iterable<Version>): void {
    const needed = new Map([[kindKey(this.#usual), this.#usual]]);
    for (const version of versions) {
      const kind = kindFor(version);
      needed.set(kindKey(kind), kind);
    }
    for (const kind of needed.values()) this.#pool(kind);
    for (const key of this.#pools.keys()) {
      if (needed.has(key)) continue;
      this.#demand.delete(key);
      this.#failures.delete(key);
    }
    for (const key of needed.keys()) this.#demand.set(key, this.#demand.get(key) ?? noDemand);
    this.look();
  }

  /** Lets each pool's size follow its demand; to be called a few times a second. */
  look(): void {
    const { budgetBytes, now } = this.#means;
    const at = now();
    const wishes = [...this.#demand].map(([key, demand]) => {
      const seen = this.#pools.get(key)?.lookAtMemory() ?? 0;
      const bytesEach = Math.max(leastBytes, Math.ceil(seen / stepBytes) * stepBytes);
      const range = this.#rangeOf(key);
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
    const wanted = this.#pool(kindFor(version));
    this.#count(wanted);
    // What its custom pool has not is taken from below: it is there sooner than one that has yet to import.
    const pool = wanted.kind.custom === undefined || wanted.ready > 0 ? wanted : this.#pool(kindOf(version.config));
    if (pool.ready === 0 && this.#means.sandboxes.room === 0) await this.#makeRoom(pool, version);
    if (pool !== wanted) this.#count(pool);
    this.#expect(pool, version);
    const sandbox = await pool.take(version.tenant, id, (warm) => this.#means.suits(warm, version));
    if (sandbox.kind.custom !== undefined) sandbox.thaw();
    return sandbox;
  }

  /** How the pool of this name is that versions use here; undefined when none does. */
  customStatus(tenant: string, name: string): CustomPoolStatus | undefined {
    const pool = [...this.#pools.values()].findLast(
      ({ kind }) => kind.custom?.tenant === tenant && kind.custom.name === name && this.#demand.has(kindKey(kind)),
    );
    if (pool === undefined) return undefined;
    const { target, ready, booting } = pool;
    return { target, ready, booting, memoryBytes: pool.lookAtMemory(), failures: [...(this.#failures.get(kindKey(pool.kind)) ?? [])] };
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
    if (kind.custom === undefined) this.#means.prepare(sandbox, this.#taken.get(kindKey(kind))?.shift());
    else await this.#preload(sandbox, kind.custom, kindKey(kind));
    return sandbox;
  }

  async #preload(sandbox: Sandbox, custom: CustomKind, key: string): Promise<void> {
    try {
      this.#failures.set(key, await this.#means.preload(sandbox, custom));
    } catch (error) {
      this.#failures.set(key, [error instanceof Error ? error.message : String(error)]);
      throw error;
    }
  }

  #rangeOf(key: string): PoolRange {
    const { range } = this.#means;
    return this.#pools.get(key)?.kind.custom ?? range;
  }

  #count({ kind }: Pool): void {
    const key = kindKey(kind);
    const demand = this.#demand.get(key);
    if (demand !== undefined) this.#demand.set(key, taken(demand, this.#means.now()));
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
      const { sandboxes, areStarting, now, bootsAtOnce, waitedBootsAtOnce } = this.#means;
      const boot = (wanted: SandboxKind) => this.#boot(wanted);
      pool = new Pool(kind, { boot, room: () => sandboxes.room, areStarting, now, bootsAtOnce, waitedBootsAtOnce });
      this.#pools.set(key, pool);
    }
    return pool;
  }
}
