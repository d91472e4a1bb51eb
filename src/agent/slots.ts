import { SwiftletError } from '../model/errors.ts';

/** The numbers of this host's sandboxes. A number names a folder, a cgroup and a uid, and is taken by one sandbox at a time. */
export class Slots {
  readonly #limit: number;
  readonly #free: number[] = [];
  readonly #taken = new Set<number>();
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get left(): number {
    return this.#limit - this.#taken.size;
  }

  /** @throws SwiftletError HostFull */
  take(): number {
    if (this.left <= 0)
      throw new SwiftletError(
        'HostFull',
        `this host runs ${this.#limit} sandboxes already; raise SWIFTLET_MAX_SANDBOXES or wait until instances are idle`,
      );
    let slot = this.#free.shift();
    while (slot === undefined || this.#taken.has(slot)) slot = this.#free.shift() ?? this.#next++;
    this.#taken.add(slot);
    return slot;
  }

  /** Marks a number as taken that an earlier agent gave away. */
  claim(slot: number): void {
    this.#taken.add(slot);
  }

  release(slot: number): void {
    if (this.#taken.delete(slot)) this.#free.push(slot);
  }
}
