/** Shares the places of a host among tenants: acts on what `places` decides. */
import { SwiftletError } from '../model/errors.ts';
import type { Version } from '../model/function.ts';
import type { Instance } from './instance.ts';
import { type Crowd, mayStart, mostKept, whoYields } from './places.ts';

/** So long after one was asked to make room another one is: the first may have a request that takes long. */
const yieldEveryMs = 1_000;

export interface PlaceSharingMeans {
  readonly capacity: number;
  /** Those that have functions. */
  readonly tenants: () => Iterable<string>;
  /** Tells the gateway that has the lease to send it no more requests, and to give it back. */
  readonly retire: (instance: Instance) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
}

/** What is on the host. */
export interface Occupants {
  readonly instances: ReadonlyMap<string, Instance>;
  /** Versions of the starts under way, by their instances' ids. */
  readonly starting: ReadonlyMap<string, Version>;
}

export class PlaceSharing {
  readonly #means: PlaceSharingMeans;
  /** Those that make room: nobody gets them any more. */
  readonly #yielding = new WeakSet<Instance>();
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(means: PlaceSharingMeans) {
    this.#means = means;
  }

  /** Whether a tenant may start one more. Costs nothing as long as the host is not nearly full. */
  mayStart(tenant: string, there: Occupants): boolean {
    const { capacity } = this.#means;
    if (there.instances.size + there.starting.size + mostKept(capacity) < capacity) return true;
    return mayStart(tenant, this.#crowd(there));
  }

  /** Has an instance make room for a tenant that has none and found the host full: it ends when its requests have. */
  makeRoomFor(tenant: string, there: Occupants): void {
    const { now, retire } = this.#means;
    if (now() - this.#askedMs < yieldEveryMs) return;
    const from = whoYields(tenant, this.#crowd(there));
    const instance = [...there.instances.values()].findLast(
      (one) => one.version.tenant === from && one.state.kind === 'leased' && !this.isYielding(one),
    );
    if (instance === undefined) return;
    this.#askedMs = now();
    this.#yielding.add(instance);
    retire(instance);
  }

  isYielding(instance: Instance): boolean {
    return this.#yielding.has(instance);
  }

  #crowd({ instances, starting }: Occupants): Crowd {
    const { capacity, tenants } = this.#means;
    const taken = new Map<string, number>();
    const add = ({ tenant }: Version) => taken.set(tenant, (taken.get(tenant) ?? 0) + 1);
    for (const { version } of instances.values()) add(version);
    for (const version of starting.values()) add(version);
    return { capacity, taken, tenants: tenants() };
  }
}

export const placesKept = (): SwiftletError =>
  new SwiftletError(
    'HostFull',
    'the last places of this host are for tenants that have none; raise SWIFTLET_MAX_SANDBOXES or wait until instances are idle',
  );
