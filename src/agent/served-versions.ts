import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import { functionKey, type PublishedState } from '../wire/published-state.ts';

/** A gateway may know of a version some ms before the agent does. */
const waitLimitMs = 2_000;

/** What control has published, as this agent has it; and those who wait for what is about to be. */
export class ServedVersions {
  #state: PublishedState | undefined;
  readonly #waiting = new Set<() => void>();

  /** Takes a new state: all who wait look again. */
  take(state: PublishedState): void {
    this.#state = state;
    for (const look of [...this.#waiting]) look();
  }

  get all(): Version[] {
    return [...(this.#state?.functions.values() ?? [])];
  }

  /** The version that serves a function now. */
  serving(tenant: string, name: string): Version | undefined {
    return this.#state?.functions.get(functionKey(tenant, name));
  }

  /** Resolves as soon as a version serves here. @throws SwiftletError Unavailable when it does not in time */
  wait(tenant: string, name: string, number: number): Promise<Version> {
    const find = () => {
      const version = this.serving(tenant, name);
      return version?.number === number ? version : undefined;
    };
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
