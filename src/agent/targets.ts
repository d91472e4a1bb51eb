/** How many instances control's autoscaler wants of versions. While control is away its word lapses, and what the versions say holds again. */
import { type Version, versionIdOf } from '../model/function.ts';
import type { VersionTarget } from '../wire/scale-calls.ts';

type Named = Pick<Version, 'tenant' | 'function' | 'number'>;

export class Targets {
  readonly #now: () => number;
  #byVersion = new Map<string, VersionTarget>();
  #until = 0;

  /** @param now milliseconds of a monotonic clock */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes all there are, in the place of those before. */
  take(targets: readonly VersionTarget[], validMs: number): void {
    this.#byVersion = new Map(targets.map((target) => [versionIdOf(target), target]));
    this.#until = this.#now() + validMs;
  }

  /** All that are wanted lately. */
  get all(): Iterable<VersionTarget> {
    return this.#isOver ? [] : this.#byVersion.values();
  }

  /** Undefined for a version that nobody has said anything of lately. */
  of(version: Named): VersionTarget | undefined {
    return this.#isOver ? undefined : this.#byVersion.get(versionIdOf(version));
  }

  get #isOver(): boolean {
    return this.#byVersion.size === 0 || this.#now() >= this.#until;
  }
}
