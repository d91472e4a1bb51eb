/** What versions had to do at all gateways together, as one gateway would tell it: a gateway that ends takes nothing away from sums. */
import { type VersionId, versionIdOf } from '../model/function.ts';
import type { Loads, VersionLoad } from '../wire/scale-calls.ts';

type Sums = Pick<VersionLoad, 'busyMs' | 'requests'>;

const none: Sums = { busyMs: 0, requests: 0 };
/** A gateway that is away for so many looks is forgotten, as nobody who comes back was away for longer. */
const rememberedLooks = 600;

interface Told {
  readonly look: number;
  readonly sums: ReadonlyMap<VersionId, Sums>;
}

export class SummedLoads {
  /** By the gateways' processes: what each told last, of the versions that it told of. */
  readonly #told = new Map<string, Told>();
  #sums: ReadonlyMap<VersionId, Sums> = new Map();
  #look = 0;

  /** @param all of each gateway that is there */
  add(all: readonly Loads[]): Loads {
    const look = ++this.#look;
    const now = new Map<VersionId, VersionLoad>();
    for (const { process, loads } of all) {
      const before = this.#told.get(process);
      for (const load of loads) {
        const id = versionIdOf(load);
        // Of a gateway that is looked at for the first time it is not known when its sums came to be; at the very first look they are the start.
        const sums = before === undefined && look > 1 ? load : (before?.sums.get(id) ?? none);
        const known = now.get(id);
        const grown = sumOf(known ?? this.#sums.get(id) ?? none, grownBy(sums, load));
        now.set(id, { ...load, ...grown, inFlight: load.inFlight + (known?.inFlight ?? 0) });
      }
      this.#told.set(process, { look, sums: new Map(loads.map((load) => [versionIdOf(load), load])) });
    }
    for (const [process, told] of this.#told) if (look - told.look > rememberedLooks) this.#told.delete(process);
    // One that nobody tells of begins at 0 when somebody does again.
    this.#sums = now;
    return { process: 'all', loads: [...now.values()] };
  }
}

const sumOf = (one: Sums, other: Sums): Sums => ({ busyMs: one.busyMs + other.busyMs, requests: one.requests + other.requests });

/** Sums that have become less began anew. */
function grownBy(before: Sums, { busyMs, requests }: Sums): Sums {
  const from = requests < before.requests ? none : before;
  return { busyMs: Math.max(0, busyMs - from.busyMs), requests: requests - from.requests };
}
