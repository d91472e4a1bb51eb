/** The leases of a host's instances: granted to gateways, renewed, given back, lapsed. Says what becomes of an instance by what `leases` decides. */
import { noTimes } from '../model/phases.ts';
import type { Version } from '../model/function.ts';
import { leaseMs } from '../wire/agent-calls.ts';
import type { Peer } from '../wire/calls.ts';
import type { Retire } from '../wire/secret-calls.ts';
import { type Acquired, afterLapse, afterLease, bestResting, type Instance, isStill, spareSlots } from './instance.ts';
import { holding, type Lease, renewed, withoutSlots, withSlots } from './leases.ts';
import type { SlotSharing } from './slot-sharing.ts';

export interface InstanceLeasesMeans {
  readonly all: ReadonlyMap<string, Instance>;
  /** There when several gateways may want the same instances. */
  readonly slots?: SlotSharing | undefined;
  /** Whether gateways may get it. */
  readonly isOffered: (instance: Instance) => boolean;
  /** Has its runtime say when nothing goes on in it. */
  readonly learnQuiet: (instance: Instance) => void;
  readonly now: () => number;
}

export class InstanceLeases {
  readonly #means: InstanceLeasesMeans;

  constructor(means: InstanceLeasesMeans) {
    this.#means = means;
  }

  /** What is there for a gateway: an instance that nobody has, else slots that nobody has of one that others have. */
  take(version: Version, holder: Peer): Acquired | undefined {
    const isKept = (instance: Instance) =>
      !this.#means.isOffered(instance) || this.#means.slots?.mayBeHeld(instance, this.#means.now()) === true;
    const resting = bestResting(this.#means.all.values(), version, isKept);
    if (resting !== undefined) {
      const { kind } = resting.state;
      const start = kind === 'hibernated' ? 'awakened' : kind === 'frozen' ? 'thawed' : 'warm';
      this.give(resting, holder);
      return { instance: resting, slots: version.config.concurrency, start, times: noTimes };
    }
    const shared = this.#means.slots?.mostSpare(this.#means.all.values(), version, (instance) => this.#means.isOffered(instance));
    if (shared === undefined) return undefined;
    const slots = spareSlots(shared);
    this.give(shared, holder, slots);
    return { instance: shared, slots, start: 'warm', times: noTimes };
  }

  /** @param slots how many the gateway says that it has of each; absent: all */
  renew(ids: readonly string[], holder: Peer, slots?: readonly number[]): void {
    for (const [at, id] of ids.entries()) {
      const instance = this.#means.all.get(id);
      if (instance === undefined || instance.state.kind === 'ending') continue;
      if (isStill(instance.state)) instance.sandbox.thaw();
      const before = instance.state.kind === 'leased' ? instance.state.leases : [];
      const until = this.#means.now() + leaseMs;
      const leases = renewed(before, holder, slots?.[at], instance.version.config.concurrency, until);
      if (leases.some((lease) => lease.holder === holder)) instance.state = { kind: 'leased', leases };
      // It is others' by now.
      else holder.notify('retire', { instanceId: id } satisfies Retire);
    }
  }

  /** A gateway gives slots back. @param slots absent: its lease as a whole */
  release(id: string, holder: Peer, idleSinceMsAgo: number, slots?: number): void {
    const instance = this.#means.all.get(id);
    if (instance?.state.kind !== 'leased') return;
    const leases = withoutSlots(instance.state.leases, holder, slots);
    if (leases.length > 0) instance.state = { kind: 'leased', leases };
    else if (instance.state.leases.some((lease) => lease.holder === holder)) {
      instance.state = afterLease(instance.version.config, this.#means.now() - idleSinceMsAgo);
      this.#means.learnQuiet(instance);
    }
    this.#means.slots?.freed(instance.version);
  }

  /** A gateway gets slots of an instance. @param slots absent: all that it has */
  give(instance: Instance, holder: Peer, slots = instance.version.config.concurrency): void {
    if (isStill(instance.state)) instance.sandbox.thaw();
    const before = instance.state.kind === 'leased' ? instance.state.leases : [];
    instance.state = { kind: 'leased', leases: withSlots(before, holder, slots, this.#means.now() + leaseMs) };
  }

  /** Lets leases lapse that were not renewed in time, or whose holders are gone. */
  lapse(instance: Instance, leases: readonly Lease[], now: number): void {
    const { version } = instance;
    const left = holding(leases, now, version.config.timeoutMs);
    if (left.length > 0) instance.state = { kind: 'leased', leases: left };
    else {
      instance.state = afterLapse(version.config, now);
      if (this.#means.slots !== undefined) this.#means.learnQuiet(instance);
    }
    if (left.length < leases.length) this.#means.slots?.freed(version);
  }
}
