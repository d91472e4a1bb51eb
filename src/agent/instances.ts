/** The instances of one host: started for gateways, leased to them, and ended. Serves the cold start; nothing here touches a disk. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { pauseAfterFailures } from '../model/back-off.ts';
import { SwiftletError } from '../model/errors.ts';
import { type Version, versionIdOf } from '../model/function.ts';
import { noTimes, type Start, type StartTimes } from '../model/phases.ts';
import { leaseMs, type Warmth } from '../wire/agent-calls.ts';
import type { Peer } from '../wire/calls.ts';
import { type EndReason, endReason } from './end-reason.ts';
import { expireLease, type Instance, isReclaimable } from './instance.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { InstanceRecord } from './slot-record.ts';

/** What is decided of an instance before it exists. */
export interface StartOrder {
  readonly id: string;
  readonly startedAt: string;
  /** Called when it has its sandbox, before any code is in it. */
  readonly onSandbox: (sandbox: Sandbox) => void;
}

export interface InstancesMeans {
  /** Takes a booted sandbox for a version and loads its code: the cold start itself. Ends the sandbox when it throws. */
  start(version: Version, start: StartOrder): Promise<{ sandbox: Sandbox; times: StartTimes }>;
  /** Whether a version takes requests, or is about to. */
  isServed(version: Version): boolean;
  /** Instances of a version that are kept even without traffic. */
  minimum(version: Version): number;
  /** Tells all gateways that an instance is gone. */
  announceEnd(instance: Instance, reason: EndReason): void;
  now(): number;
  readonly log: Logger;
}

/** A version that was not tried for so long starts with a clean slate; so does one that needed no minimum meanwhile. */
const failureMemoryMs = 60_000;

export interface Acquired {
  readonly instance: Instance;
  readonly start: Start;
  readonly times: StartTimes;
}

interface MinimumFailure {
  readonly version: Version;
  readonly count: number;
  readonly until: number;
  readonly reason: EndReason;
}

export class Instances {
  readonly #means: InstancesMeans;
  readonly #all = new Map<string, Instance>();
  /** What starts, by the id of its instance: it counts against its function's maximum. */
  readonly #starting = new Map<string, Version>();
  /** Versions whose minimum could not be started, until when that is left alone, and what was wrong. */
  readonly #minimumFailures = new Map<string, MinimumFailure>();

  constructor(means: InstancesMeans) {
    this.#means = means;
  }

  get all(): Iterable<Instance> {
    return this.#all.values();
  }

  /**
   * An instance for a gateway: one that waits, else a new one.
   * @param id what a new one is called
   * @param onSandbox called as soon as a new one has its sandbox
   * @throws SwiftletError TooManyRequests at the function's maximum, InitError and its kin, HostFull
   */
  async acquire(version: Version, holder: Peer, id: string, onSandbox: (sandbox: Sandbox) => void): Promise<Acquired> {
    const waiting = this.#idleOf(version);
    if (waiting !== undefined) {
      waiting.state = this.#lease(holder);
      return { instance: waiting, start: 'warm', times: noTimes };
    }
    const started = await this.#start(version, id, onSandbox);
    started.instance.state = holder.signal.aborted ? { kind: 'idle', since: this.#means.now() } : this.#lease(holder);
    return { ...started, start: 'cold' };
  }

  renew(ids: readonly string[], holder: Peer): void {
    for (const id of ids) {
      const instance = this.#all.get(id);
      if (instance !== undefined && instance.state.kind !== 'ending') instance.state = this.#lease(holder);
    }
  }

  release(id: string, holder: Peer, idleSinceMsAgo: number): void {
    const instance = this.#all.get(id);
    if (instance?.state.kind !== 'leased' || instance.state.holder !== holder) return;
    instance.state = { kind: 'idle', since: this.#means.now() - idleSinceMsAgo };
    this.tidy();
  }

  /** Ends an instance that must serve nobody again. @param reason what gateways are told; absent when its end is nobody's fault */
  end(id: string, reason?: EndReason): void {
    const instance = this.#all.get(id);
    if (instance === undefined || instance.state.kind === 'ending') return;
    instance.state = { kind: 'ending', reason };
    instance.sandbox.kill();
  }

  /** Takes over an instance that an earlier agent started. */
  adopt(sandbox: Sandbox, { id, version, startedAt }: InstanceRecord): void {
    this.#hold({ id, version, startedAt, sandbox, state: { kind: 'idle', since: this.#means.now() } });
  }

  /** Does what time and the published state ask for: expires leases, ends what is idle too long, starts what the minimum lacks. */
  tidy(): void {
    const now = this.#means.now();
    for (const [key, { version, until }] of this.#minimumFailures)
      if (now - until > failureMemoryMs || this.#means.minimum(version) === 0) this.#minimumFailures.delete(key);
    for (const instance of this.#all.values()) {
      instance.state = expireLease(instance.state, now);
      if (instance.state.kind !== 'idle') continue;
      const { version } = instance;
      const facts = {
        serving: this.#means.isServed(version),
        idleForMs: now - instance.state.since,
        idleLimitMs: version.config.idleMs,
        alive: this.#alive(isVersion(version)),
        minimum: this.#means.minimum(version),
      };
      if (isReclaimable(facts)) this.end(instance.id);
    }
  }

  /** Starts instances until a serving version has its minimum. A failure is logged; it is tried again after a pause that grows. */
  async keepMinimum(version: Version): Promise<void> {
    const key = versionIdOf(version);
    if (this.#means.now() < (this.#minimumFailures.get(key)?.until ?? 0)) return;
    while (this.#alive(isVersion(version)) < this.#means.minimum(version)) {
      try {
        const { instance } = await this.#start(version, randomUUID(), () => undefined);
        instance.state = { kind: 'idle', since: this.#means.now() };
        this.#minimumFailures.delete(key);
      } catch (error) {
        const count = (this.#minimumFailures.get(key)?.count ?? 0) + 1;
        this.#minimumFailures.set(key, { version, count, until: this.#means.now() + pauseAfterFailures(count), reason: reasonOf(error) });
        this.#means.log.warn({ err: error, version: key }, 'an instance of the minimum could not be started');
        return;
      }
    }
  }

  /** How many instances of a version can take requests, and why there are no more. */
  warmth(version: Pick<Version, 'tenant' | 'function' | 'number'>): Warmth {
    const same = isVersion(version);
    const ready = [...this.#all.values()].filter(
      ({ version: own, state }) => same(own) && state.kind !== 'starting' && state.kind !== 'ending',
    );
    return { ready: ready.length, failure: this.#minimumFailures.get(versionIdOf(version))?.reason };
  }

  /**
   * Ends the idle instance that has waited longest, for a host that needs its room, and resolves when it is gone.
   * @param version what the room is for: its own idle instances would be as good as the new one
   */
  async endOldestIdle(version: Version): Promise<void> {
    const same = isVersion(version);
    const idle = [...this.#all.values()].flatMap((instance) =>
      instance.state.kind === 'idle' && !same(instance.version) ? [{ instance, since: instance.state.since }] : [],
    );
    const oldest = idle.sort((a, b) => a.since - b.since)[0];
    if (oldest === undefined) return;
    this.end(oldest.instance.id);
    await oldest.instance.sandbox.ended;
  }

  /** Ends all, and waits until nothing is left of them. */
  async close(): Promise<void> {
    const ending = [...this.#all.values()];
    for (const { id } of ending) this.end(id);
    await Promise.all(ending.map((instance) => instance.sandbox.ended));
  }

  async #start(version: Version, id: string, onSandbox: (sandbox: Sandbox) => void): Promise<{ instance: Instance; times: StartTimes }> {
    const { tenant, function: name, config } = version;
    const ofFunction = (other: Version) => other.tenant === tenant && other.function === name;
    if (this.#alive(ofFunction) >= config.maximum) {
      throw new SwiftletError(
        'TooManyRequests',
        `function "${name}" runs its maximum of ${config.maximum} instances; raise "maximum" or wait`,
      );
    }
    this.#starting.set(id, version);
    const startedAt = new Date().toISOString();
    try {
      const { sandbox, times } = await this.#means.start(version, { id, startedAt, onSandbox });
      const instance: Instance = { id, version, sandbox, startedAt, state: { kind: 'starting' } };
      this.#hold(instance);
      return { instance, times };
    } finally {
      this.#starting.delete(id);
    }
  }

  #hold(instance: Instance): void {
    this.#all.set(instance.id, instance);
    void instance.sandbox.ended.then((facts) => {
      const asked = instance.state.kind === 'ending';
      const reason =
        (instance.state.kind === 'ending' ? instance.state.reason : undefined) ??
        endReason(instance.version.function, instance.version.config.memoryMiB, facts);
      this.#all.delete(instance.id);
      if (!asked) this.#means.log.info({ instance: instance.id, version: versionIdOf(instance.version), code: reason.code }, reason.detail);
      this.#means.announceEnd(instance, reason);
    });
  }

  #idleOf(version: Version): Instance | undefined {
    const isMeant = isVersion(version);
    for (const instance of this.#all.values()) {
      if (instance.state.kind === 'idle' && isMeant(instance.version)) return instance;
    }
    return undefined;
  }

  #alive(isMeant: (version: Version) => boolean): number {
    let count = 0;
    for (const version of this.#starting.values()) if (isMeant(version)) count += 1;
    for (const { version, state } of this.#all.values()) if (isMeant(version) && state.kind !== 'ending') count += 1;
    return count;
  }

  #lease(holder: Peer): Instance['state'] {
    return { kind: 'leased', holder, until: this.#means.now() + leaseMs };
  }
}

const isVersion =
  ({ tenant, function: name, number }: Pick<Version, 'tenant' | 'function' | 'number'>) =>
  (other: Version): boolean =>
    other.number === number && other.function === name && other.tenant === tenant;

const reasonOf = (error: unknown): EndReason =>
  error instanceof SwiftletError ? { code: error.code, detail: error.message } : { code: 'Internal', detail: String(error) };
