import type { Version } from '../../model/function.ts';
import type { PublishedState } from '../../wire/published-state.ts';
import { FunctionGuard, type TenantShare } from './function-guard.ts';

/** One guard for each function that somebody has asked for, by what its serving version says: that holds for the function as a whole. */
export class FunctionGuards {
  #functions: PublishedState['functions'] = new Map();
  /** By the functions' keys. */
  readonly #guards = new Map<string, FunctionGuard>();
  /** By the tenants' names; what is set aside counts for functions, too, that nobody has asked for. */
  #shares = new Map<string, TenantShare>();

  take(functions: PublishedState['functions']): void {
    if (functions === this.#functions) return;
    this.#functions = functions;
    this.#shares = new Map();
    for (const { tenant, config } of functions.values()) {
      const { reservedConcurrency } = config.protect;
      if (reservedConcurrency !== undefined) this.#shareOf(tenant).reserved += reservedConcurrency;
    }
    for (const [key, guard] of this.#guards) {
      const serving = functions.get(key);
      if (serving === undefined) this.#guards.delete(key);
      else guard.update(serving.config.protect, this.#shareOf(serving.tenant));
    }
  }

  /** The one of a function; the same for as long as the function is there. */
  of(key: string, serving: Version): FunctionGuard {
    const known = this.#guards.get(key);
    if (known !== undefined) return known;
    const made = new FunctionGuard();
    made.update(serving.config.protect, this.#shareOf(serving.tenant));
    this.#guards.set(key, made);
    return made;
  }

  #shareOf(tenant: string): TenantShare {
    const known = this.#shares.get(tenant);
    if (known !== undefined) return known;
    const made = { reserved: 0, reservedInFlight: 0 };
    this.#shares.set(tenant, made);
    return made;
  }
}
