import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import { functionKey, type PublishedState } from '../wire/published-state.ts';

/** A gateway may know of a version some ms before the agent does. */
const waitLimitMs = 2_000;

/** Lets those wait who ask for a version that is about to be published. */
export function versionWaiters(state: () => PublishedState | undefined) {
  const waiting = new Set<() => void>();
  return {
    /** A new state is there: all look again. */
    published(): void {
      for (const look of [...waiting]) look();
    },
    /** @throws SwiftletError Unavailable when the version is not published here in time */
    wait: (tenant: string, name: string, number: number): Promise<Version> => {
      const find = () => {
        const version = state()?.functions.get(functionKey(tenant, name));
        return version?.number === number ? version : undefined;
      };
      const version = find();
      if (version !== undefined) return Promise.resolve(version);
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = find();
          if (found === undefined) return;
          waiting.delete(look);
          clearTimeout(limit);
          resolve(found);
        };
        const limit = setTimeout(() => {
          waiting.delete(look);
          reject(new SwiftletError('Unavailable', `version ${number} of function "${name}" does not serve on this host`));
        }, waitLimitMs);
        waiting.add(look);
      });
    },
  };
}
