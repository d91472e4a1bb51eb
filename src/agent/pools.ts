import type { Version } from '../model/function.ts';
import { Pool } from './pool.ts';
import { kindKey, kindOf, type Sandbox, type SandboxKind } from './sandbox/sandbox.ts';
import type { Sandboxes } from './sandbox/sandboxes.ts';

export interface PoolsMeans {
  readonly sandboxes: Sandboxes;
  readonly size: number;
  readonly bootsAtOnce: number;
  /** Ends an idle instance to make room for one of this version, and resolves when it is gone. */
  endOldestIdle(version: Version): Promise<unknown>;
}

/** The pools of one host: one for each kind of sandbox that some function needs, and always the usual one. */
export class Pools {
  readonly #means: PoolsMeans;
  readonly #pools = new Map<string, Pool>();
  readonly #usual: SandboxKind;

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

  /** A booted sandbox for a version. When the host is full, what is warm for others or idle gives way. @throws SwiftletError HostFull */
  async take(version: Version): Promise<Sandbox> {
    const pool = this.#pool(kindOf(version.config));
    if (pool.ready === 0 && this.#means.sandboxes.room === 0) await this.#makeRoom(pool, version);
    return pool.take();
  }

  add(sandbox: Sandbox): void {
    this.#pool(sandbox.kind).add(sandbox);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }

  async #makeRoom(wanting: Pool, version: Version): Promise<void> {
    const rich = [...this.#pools.values()].find((pool) => pool !== wanting && pool.ready > 0);
    await (rich === undefined ? this.#means.endOldestIdle(version) : rich.yieldOne());
  }

  #pool(kind: SandboxKind): Pool {
    const key = kindKey(kind);
    let pool = this.#pools.get(key);
    if (pool === undefined) {
      const { sandboxes, bootsAtOnce } = this.#means;
      pool = new Pool(kind, { boot: (wanted) => sandboxes.boot(wanted), room: () => sandboxes.room, bootsAtOnce });
      this.#pools.set(key, pool);
    }
    return pool;
  }
}
