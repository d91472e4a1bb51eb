/** What versions had to do at all gateways together, as sums that only grow: a gateway that ends takes nothing away from them. */
import { type VersionId, versionIdOf } from '../model/function.ts';
import type { Loads, VersionLoad } from '../wire/scale-calls.ts';

type Sums = Pick<VersionLoad, 'busyMs' | 'requests'>;

const none: Sums = { busyMs: 0, requests: 0 };
/** Of a version that nobody told of for so many looks nothing is remembered, as nobody who adds up does. */
const rememberedLooks = 3_600;

interface Told {
  readonly sums: Sums;
  readonly look: number;
}

export class SummedLoads {
  /** By the gateways' processes: what each told last, by version. */
  readonly #told = new Map<string, Map<VersionId, Told>>();
  readonly #sums = new Map<VersionId, Told>();
  #look = 0;

  /** @param all of each gateway that is there */
  add(all: readonly Loads[]): Loads {
    const look = ++this.#look;
    const now = new Map<VersionId, VersionLoad>();
    for (const { process, loads } of all) {
      const isNew = !this.#told.has(process);
      const told = this.#told.get(process) ?? new Map<VersionId, Told>();
      this.#told.set(process, told);
      for (const load of loads) {
        const id = versionIdOf(load);
        // Of a gateway that is looked at for the first time it is not known when its sums came to be; at the very first look they are the start.
        const before = told.get(id)?.sums ?? (isNew && look > 1 ? load : none);
        const grown = this.#grow(id, { busyMs: load.busyMs - before.busyMs, requests: load.requests - before.requests }, look);
        told.set(id, { sums: load, look });
        now.set(id, { ...load, ...grown, inFlight: load.inFlight + (now.get(id)?.inFlight ?? 0) });
      }
    }
    this.#forget(all, look);
    return { process: 'all', loads: [...now.values()] };
  }

  /** Sums that have become less began anew. */
  #grow(id: VersionId, { busyMs, requests }: Sums, look: number): Sums {
    const { sums } = this.#sums.get(id) ?? { sums: none };
    const grown = { busyMs: sums.busyMs + Math.max(0, busyMs), requests: sums.requests + Math.max(0, requests) };
    this.#sums.set(id, { sums: grown, look });
    return grown;
  }

  #forget(all: readonly Loads[], look: number): void {
    const there = new Set(all.map(({ process }) => process));
    const isOld = (told: Told) => look - told.look > rememberedLooks;
    for (const [process, told] of this.#told) {
      for (const [id, one] of told) if (isOld(one)) told.delete(id);
      // One that is away for a look, and is the same when it is back, tells of what it did meanwhile.
      if (!there.has(process) && [...told.values()].every(isOld)) this.#told.delete(process);
    }
    for (const [id, one] of this.#sums) if (isOld(one)) this.#sums.delete(id);
  }
}
