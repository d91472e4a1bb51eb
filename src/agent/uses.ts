/** How often versions are used on this host, as far as its agent is asked for instances, and what their starts take. */
import { type Version, type VersionId, versionIdOf } from '../model/function.ts';

interface History {
  lastMs: number;
  /** Between two uses; undefined before the second. */
  meanMs: number | undefined;
  startMs: number | undefined;
}

/** A pause counts for so much of the mean; those before it for the rest. */
const weight = 0.3;
/** Of a version of which nothing is known yet. */
const unknown = { pauseMs: 60_000, startMs: 100 } as const;

export class Uses {
  readonly #byVersion = new Map<VersionId, History>();

  used(version: Version, now: number): void {
    const known = this.#byVersion.get(versionIdOf(version));
    if (known === undefined) {
      this.#byVersion.set(versionIdOf(version), { lastMs: now, meanMs: undefined, startMs: undefined });
      return;
    }
    const pauseMs = now - known.lastMs;
    known.meanMs = known.meanMs === undefined ? pauseMs : known.meanMs + weight * (pauseMs - known.meanMs);
    known.lastMs = now;
  }

  started(version: Version, tookMs: number): void {
    const known = this.#byVersion.get(versionIdOf(version));
    if (known !== undefined) known.startMs = known.startMs === undefined ? tookMs : known.startMs + weight * (tookMs - known.startMs);
  }

  /** When the next use is likely, in milliseconds from now: after its usual pause, or once more what has passed if that is longer. */
  nextUseMs(version: Version, now: number): number {
    const known = this.#byVersion.get(versionIdOf(version));
    return known === undefined ? unknown.pauseMs : Math.max(known.meanMs ?? unknown.pauseMs, now - known.lastMs);
  }

  startMs(version: Version): number {
    return this.#byVersion.get(versionIdOf(version))?.startMs ?? unknown.startMs;
  }

  /** Forgets all other versions. */
  keepOnly(versions: Iterable<Version>): void {
    const kept = new Set([...versions].map(versionIdOf));
    for (const id of this.#byVersion.keys()) if (!kept.has(id)) this.#byVersion.delete(id);
  }
}
