/**
 * Takes instances out of use that have a value of a secret which was rotated since: for each that a gateway has, another one is started
 * first; then the gateway is told to send it no more requests, and gives it back once those under way have ended.
 */
import type { Logger } from 'pino';
import { pauseAfterFailures } from '../model/back-off.ts';
import { type ErrorCode, SwiftletError } from '../model/errors.ts';
import { type Version, type VersionId, versionIdOf } from '../model/function.ts';
import { secretNames } from '../model/secret.ts';
import type { SecretUse } from '../wire/secret-calls.ts';
import type { Instance } from './instance.ts';
import type { Instances } from './instances.ts';

/** Instances that are replaced at the same time, of one version: others go on serving meanwhile. */
const atOnce = 2;

/** The host's, the function's, or its tenant's room for instances is taken. */
const noRoom: readonly ErrorCode[] = ['HostFull', 'TooManyRequests', 'QuotaExceeded'];

interface Trouble {
  readonly count: number;
  readonly at: number;
  readonly detail: string;
}

export interface ReplacementMeans {
  readonly instances: Pick<Instances, 'all' | 'isStale' | 'startAhead'>;
  /** Whether a version takes requests, or is about to: what serves no more goes by itself. */
  readonly isServed: (version: Version) => boolean;
  /** Tells the gateway that has the lease. Told again while it has it still: that costs nothing. */
  readonly retire: (instance: Instance) => void;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  readonly log: Logger;
}

export class Replacement {
  readonly #means: ReplacementMeans;
  /** Those that another one was started for. */
  readonly #replaced = new Set<string>();
  readonly #under = new Map<VersionId, Promise<void>>();
  readonly #troubles = new Map<VersionId, Trouble>();

  constructor(means: ReplacementMeans) {
    this.#means = means;
  }

  /** Goes on with it: called whenever secrets have changed, and now and then. */
  look(): void {
    const { instances, isServed, retire } = this.#means;
    const stale = [...instances.all].filter((one) => isInUse(one) && instances.isStale(one) && isServed(one.version));
    const there = new Set(stale.map(({ id }) => id));
    for (const id of this.#replaced) if (!there.has(id)) this.#replaced.delete(id);
    const waiting = new Map<VersionId, Instance[]>();
    for (const instance of stale) {
      const id = versionIdOf(instance.version);
      if (this.#replaced.has(instance.id)) retire(instance);
      else waiting.set(id, [...(waiting.get(id) ?? []), instance]);
    }
    for (const id of this.#troubles.keys()) if (!waiting.has(id)) this.#troubles.delete(id);
    for (const [id, some] of waiting) this.#replace(id, some.slice(0, atOnce));
  }

  /** With which values of a secret instances run. */
  use(tenant: string, name: string): SecretUse {
    const { instances } = this.#means;
    let [current, older] = [0, 0];
    let failure: string | undefined;
    for (const instance of instances.all) {
      const { version, state } = instance;
      if (state.kind === 'ending' || version.tenant !== tenant || !secretNames(version.config.secrets).includes(name)) continue;
      if (!instances.isStale(instance)) current += 1;
      else {
        older += 1;
        failure ??= this.#troubles.get(versionIdOf(version))?.detail;
      }
    }
    return { current, older, ...(failure === undefined ? {} : { failure }) };
  }

  #replace(id: VersionId, some: readonly Instance[]): void {
    const trouble = this.#troubles.get(id);
    if (this.#under.has(id) || (trouble !== undefined && this.#means.now() - trouble.at < pauseAfterFailures(trouble.count))) return;
    const work = Promise.all(some.map((instance) => this.#replaceOne(id, instance)));
    this.#under.set(
      id,
      work.then(() => void this.#under.delete(id)),
    );
  }

  async #replaceOne(id: VersionId, instance: Instance): Promise<void> {
    try {
      await this.#startFor(instance.version);
      this.#replaced.add(instance.id);
      this.#means.retire(instance);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#troubles.set(id, { count: (this.#troubles.get(id)?.count ?? 0) + 1, at: this.#means.now(), detail });
      this.#means.log.warn({ err: error, version: id }, 'an instance could not be replaced after a rotation; the old one goes on');
    }
  }

  /** Where there is no room for both, requests wait while the new one comes: that is better than an old secret for ever. */
  async #startFor(version: Version): Promise<void> {
    try {
      await this.#means.instances.startAhead(version);
    } catch (error) {
      const hasNoRoom = error instanceof SwiftletError && noRoom.includes(error.code);
      if (!hasNoRoom) throw error;
    }
  }
}

/** Others are ended by themselves: nobody gets them any more. One that takes a single request has had it. */
const isInUse = ({ state, version }: Instance): boolean => state.kind === 'leased' && version.config.process === 'resident';
