/** Tells gateways what this one of several agents can take. What it says is a hint: whoever goes by it and is late is refused, and asks elsewhere. */
import { type Version, type VersionId, versionIdOf } from '../model/function.ts';
import type { Peer } from '../wire/calls.ts';
import type { Cached, Offer } from '../wire/placement-calls.ts';
import { type Instance, isResting } from './instance.ts';

export interface OffersMeans {
  readonly instances: { readonly all: Iterable<Instance>; count(version: Version): { readonly room: number } };
  /** Sandboxes that this agent may run at most, and how many more it may boot. */
  readonly capacity: number;
  readonly room: () => number;
  readonly pools: () => Offer['pools'];
  /** What sandboxes may take yet of the memory. */
  readonly freeBytes: () => number;
  /** Code that is unpacked here. */
  readonly cached: () => ReadonlySet<string>;
  readonly gateways: () => Iterable<Peer>;
}

const mebibyte = 1024 * 1024;
/** What is said of memory is rounded to it, so that no page more or less is news. */
const stepMiB = 16;

export class Offers {
  readonly #means: OffersMeans;
  #told = '';
  #cached: ReadonlySet<string> = new Set();

  constructor(means: OffersMeans) {
    this.#means = means;
  }

  /** Says what is new; to be called several times a second. */
  look(): void {
    const now = this.#means.cached();
    const added = [...now].filter((key) => !this.#cached.has(key));
    const removed = [...this.#cached].filter((key) => !now.has(key));
    this.#cached = now;
    if (added.length + removed.length > 0) this.#tell('cached', { isFirst: false, added, removed } satisfies Cached);
    const offer = this.#offer();
    const text = JSON.stringify(offer);
    if (text === this.#told) return;
    this.#told = text;
    this.#tell('offer', offer);
  }

  /** A gateway has come that knows nothing. */
  greet(gateway: Peer): void {
    gateway.notify('cached', { isFirst: true, added: [...this.#cached], removed: [] } satisfies Cached);
    gateway.notify('offer', this.#offer());
  }

  #tell(method: string, body: unknown): void {
    for (const gateway of this.#means.gateways()) gateway.notify(method, body);
  }

  #offer(): Offer {
    const { instances, capacity, room, pools, freeBytes } = this.#means;
    const versions = restingOf(instances.all);
    const warm = pools();
    const resting = [...versions.values()].reduce((sum, one) => sum + one.resting, 0);
    return {
      places: Math.min(capacity, room() + resting + warm.reduce((sum, { ready }) => sum + ready, 0)),
      capacity,
      freeMiB: Math.max(0, Math.floor(freeBytes() / mebibyte / stepMiB) * stepMiB),
      pools: warm,
      versions: [...versions].map(([id, { version, resting: own }]) => ({
        id,
        resting: own,
        room: Math.max(0, instances.count(version).room),
      })),
    };
  }
}

function restingOf(instances: Iterable<Instance>): Map<VersionId, { readonly version: Version; resting: number }> {
  const versions = new Map<VersionId, { readonly version: Version; resting: number }>();
  for (const { version, state } of instances) {
    const id = versionIdOf(version);
    const known = versions.get(id) ?? { version, resting: 0 };
    versions.set(id, known);
    if (isResting(state) && state.kind !== 'spent') known.resting += 1;
  }
  return versions;
}
