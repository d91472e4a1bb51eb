import type { Version } from '../model/function.ts';
import { Pool } from './pool.ts';
import { kindKey, kindOf, type Sandbox, type SandboxKind } from './sandbox/sandbox.ts';
import type { Sandboxes } from './sandbox/sandboxes.ts';

export interface PoolsMeans {
  readonly sandboxes: Pick<Sandboxes, 'boot' | 'room'>;
  readonly size: number;
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

/** The pools of one host: one for each kind of sandbox that some function needs, and always the usual one. */
export class Pools {
  readonly #means: PoolsMeans;
  readonly #pools = new Map<string, Pool>();
  readonly #usual: SandboxKind;
  /** Versions that took a sandbox whose successor has not booted yet: what was taken is what will be asked for. */
  readonly #taken = new Map<string, Version[]>();

  constructor(means: PoolsMeans, usual: SandboxKind) {
    this.#means = means;
    this.#usual = usual;
    this.#pool(usual).resize(means.size);
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
    for (const kind of needed.values()) {
      const pool = this.#pool(kind);
      if (pool.target !== this.#means.size) pool.resize(this.#means.size);
    }
    for (const [key, pool] of this.#pools) if (!needed.has(key)) pool.resize(0);
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
    const taken = this.#taken.get(key) ?? [];
    taken.push(version);
    // More than there will be warm ones at once say nothing new.
    if (taken.length > this.#means.size) taken.shift();
    this.#taken.set(key, taken);
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
