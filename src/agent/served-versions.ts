import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import type { PrivateNetwork } from '../model/private-network.ts';
import { functionKey, type PublishedState, type PublishedTenant } from '../wire/published-state.ts';
import type { CodeRef } from './code-cache.ts';
import { plainRouting, type Routing } from '../wire/routing.ts';

/** A gateway may know of a version some ms before the agent does. */
const waitLimitMs = 2_000;

/** What control has published, as this agent has it; and those who wait for what is about to be. */
export class ServedVersions {
  #state: PublishedState | undefined;
  readonly #waiting = new Set<() => void>();
  #provisioned: readonly Version[] = [];
  #tenants: ReadonlySet<string> = new Set();

  /** Takes a new state: all who wait look again. */
  take(state: PublishedState): void {
    this.#state = state;
    const { all } = this;
    this.#provisioned = all.filter((version) => this.minimum(version) > 0);
    this.#tenants = new Set(all.map(({ tenant }) => tenant));
    for (const look of [...this.#waiting]) look();
  }

  /** All versions that take requests, or are about to. */
  get all(): Version[] {
    return [...(this.#state?.functions ?? [])].flatMap(([key, serving]) => [serving, ...this.#routing(key).others]);
  }

  /** Of them, those of which instances are kept even without traffic. */
  get provisioned(): readonly Version[] {
    return this.#provisioned;
  }

  /** Those that have any. */
  get tenants(): ReadonlySet<string> {
    return this.#tenants;
  }

  /** Code that is to stay on this host although nothing runs it. */
  get standby(): CodeRef[] {
    return [...(this.#state?.functions.values() ?? [])].flatMap(({ tenant, function: name }) =>
      this.#routing(functionKey(tenant, name)).standby.map((digest) => ({ tenant, digest })),
    );
  }

  /** The private networks of all tenants. */
  get networks(): PrivateNetwork[] {
    return [...(this.#state?.networks.values() ?? [])];
  }

  /** A tenant's quotas and weight. */
  tenant(name: string): PublishedTenant | undefined {
    return this.#state?.tenants.get(name);
  }

  find(tenant: string, name: string, number: number): Version | undefined {
    const key = functionKey(tenant, name);
    const serving = this.#state?.functions.get(key);
    return serving?.number === number ? serving : this.#routing(key).others.find((other) => other.number === number);
  }

  /** Instances of a version that are kept even without traffic; 0 for one that serves no more. */
  minimum({ tenant, function: name, number }: Pick<Version, 'tenant' | 'function' | 'number'>): number {
    const { minimums } = this.#routing(functionKey(tenant, name));
    const own = this.find(tenant, name, number)?.config.minimum ?? 0;
    return minimums.find(({ version }) => version === number)?.instances ?? own;
  }

  #routing(key: string): Routing {
    return this.#state?.routings.get(key) ?? plainRouting;
  }

  /** Resolves as soon as a version serves here. @throws SwiftletError Unavailable when it does not in time */
  wait(tenant: string, name: string, number: number): Promise<Version> {
    const find = () => this.find(tenant, name, number);
    const version = find();
    if (version !== undefined) return Promise.resolve(version);
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found === undefined) return;
        this.#waiting.delete(look);
        clearTimeout(limit);
        resolve(found);
      };
      const limit = setTimeout(() => {
        this.#waiting.delete(look);
        reject(new SwiftletError('Unavailable', `version ${number} of function "${name}" does not serve on this host`));
      }, waitLimitMs);
      this.#waiting.add(look);
    });
  }
}
