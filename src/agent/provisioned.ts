/** The instances that functions always have: started before anybody asks, and again when one is gone. */
import type { Logger } from 'pino';
import { pauseAfterFailures } from '../model/back-off.ts';
import { SwiftletError } from '../model/errors.ts';
import { type Version, type VersionId, versionIdOf } from '../model/function.ts';
import type { ProvisionedStatus, Warmth } from '../wire/agent-calls.ts';
import type { EndReason } from './end-reason.ts';
import type { Instances } from './instances.ts';

/** A version that has not failed for so long starts with a clean slate; one that was removed is forgotten. */
const failureMemoryMs = 60_000;

interface Failure {
  /** In a row: each less than `failureMemoryMs` after the one before. */
  readonly count: number;
  readonly at: number;
  readonly reason: EndReason;
}

export interface ProvisionedMeans {
  readonly instances: Pick<Instances, 'count' | 'startAhead'>;
  /** Instances of a version that are kept even without traffic; 0 for one that takes no requests. */
  minimum(version: Pick<Version, 'tenant' | 'function' | 'number'>): number;
  /** Instances that it is to have for its load beside: not kept, but started ahead of those who would wait for them. */
  target(version: Version): number;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  readonly log: Logger;
}

export class Provisioned {
  readonly #means: ProvisionedMeans;
  readonly #failures = new Map<VersionId, Failure>();
  readonly #filling = new Map<VersionId, Promise<void>>();

  constructor(means: ProvisionedMeans) {
    this.#means = means;
  }

  /**
   * Starts, one after the other, what a serving version lacks; resolves when it lacks nothing, or when one failed. Then it is left
   * alone for a pause that grows with each failure. Never rejects: what failed is logged, and told by `status`.
   */
  keep(version: Version): Promise<void> {
    if (this.#wanted(version) === 0) return Promise.resolve();
    const id = versionIdOf(version);
    const filling = this.#filling.get(id) ?? this.#fill(version, id).finally(() => this.#filling.delete(id));
    this.#filling.set(id, filling);
    return filling;
  }

  async #fill(version: Version, id: VersionId): Promise<void> {
    try {
      while (this.#lacks(version) && !this.#isPaused(id)) await this.#means.instances.startAhead(version);
    } catch (error) {
      this.#means.log.warn({ err: error, version: id }, 'an instance could not be started ahead');
      this.#note(id, reasonOf(error));
    }
  }

  /** An instance ended that nobody had asked to end: one that does so again and again is started ever more slowly. */
  crashed(version: Version, reason: EndReason): void {
    if (this.#wanted(version) > 0) this.#note(versionIdOf(version), reason);
  }

  /** How those of these versions are that want any. */
  status(versions: readonly Version[]): ProvisionedStatus[] {
    return versions.filter((version) => this.#means.minimum(version) > 0).map((version) => this.#statusOf(version));
  }

  /** How many instances of a version can take requests, and what kept the last one from starting, or ended it. */
  warmth(version: Version): Warmth {
    return { ready: this.#means.instances.count(version).ready, failure: this.#recent(versionIdOf(version))?.reason };
  }

  #statusOf(version: Version): ProvisionedStatus {
    const { tenant, function: name, number } = version;
    const requested = this.#means.minimum(version);
    const ready = Math.min(requested, this.#means.instances.count(version).ready);
    const failed = ready < requested ? this.#recent(versionIdOf(version))?.reason : undefined;
    return { tenant, function: name, version: number, requested, ready, ...(failed === undefined ? {} : { failed }) };
  }

  #lacks(version: Version): boolean {
    const { there, room } = this.#means.instances.count(version);
    return there < this.#wanted(version) && room > 0;
  }

  #wanted(version: Version): number {
    return Math.max(this.#means.minimum(version), this.#means.target(version));
  }

  #isPaused(id: VersionId): boolean {
    const failure = this.#recent(id);
    return failure !== undefined && this.#means.now() - failure.at < pauseAfterFailures(failure.count);
  }

  #note(id: VersionId, reason: EndReason): void {
    this.#failures.set(id, { count: (this.#recent(id)?.count ?? 0) + 1, at: this.#means.now(), reason });
  }

  #recent(id: VersionId): Failure | undefined {
    const now = this.#means.now();
    for (const [key, { at }] of this.#failures) if (now - at > failureMemoryMs) this.#failures.delete(key);
    return this.#failures.get(id);
  }
}

const reasonOf = (error: unknown): EndReason =>
  error instanceof SwiftletError ? { code: error.code, detail: error.message } : { code: 'Internal', detail: String(error) };
