/** The instances of one host: started for gateways, leased to them, and ended. Serves the cold start; nothing here touches a disk. */
import { randomUUID } from 'node:crypto';
import { SwiftletError } from '../model/errors.ts';
import { type Version, type VersionId, versionIdOf } from '../model/function.ts';
import { languageOf } from '../model/runtimes.ts';
import type { StartTimes } from '../model/phases.ts';
import type { VersionCapacity } from '../wire/scale-calls.ts';
import { renewEveryMs } from '../wire/agent-calls.ts';
import type { Peer } from '../wire/calls.ts';
import { capacityOf } from './capacity.ts';
import type { StartOrder } from './cold-start.ts';
import { demandMemory } from './demand-memory.ts';
import { type EndReason, endReason } from './end-reason.ts';
import { endSandbox } from './farewell.ts';
import { type Acquired, afterLapse, type Instance, isResting, isStill, isThere, longestResting } from './instance.ts';
import { InstanceLeases } from './instance-leases.ts';
import type { InstancesMeans } from './instances-means.ts';
import { longestFarewellMs } from './runtime-connection.ts';
import { fateOf } from './rest.ts';
import { type Occupants, placesKept } from './place-sharing.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { InstanceRecord } from './slot-record.ts';
import { startedInMs } from './start-times.ts';

/** Nobody waits for such a start. */
const noOne = () => undefined;

export class Instances {
  readonly #means: InstancesMeans;
  readonly #all = new Map<string, Instance>();
  /** Starts under way, each by what it makes: they count against their function's maximum. */
  readonly #starting = new Map<string, Version>();
  /** Those whose runtime was asked to say when nothing goes on in it any more. */
  readonly #asked = new Set<Instance>();

  readonly #leases: InstanceLeases;

  constructor(means: InstancesMeans) {
    this.#means = means;
    this.#leases = new InstanceLeases({
      all: this.#all,
      slots: means.slots,
      isOffered: (instance) => !this.isStale(instance) && !means.places.isYielding(instance),
      learnQuiet: (instance) => this.#learnQuiet(instance),
      now: () => means.now(),
    });
  }

  get all(): Iterable<Instance> {
    return this.#all.values();
  }

  /** Whether any is being started. */
  get areStarting(): boolean {
    return this.#starting.size > 0;
  }

  /**
   * An instance for a gateway: the best that waits, thawed if need be, else a new one.
   * @param id what a new one is called
   * @param onSandbox called as soon as a new one has its sandbox
   * @param onFailed called with how far a new one came that fails in its sandbox, before this throws
   * @throws SwiftletError TooManyRequests at the function's maximum, QuotaExceeded at the tenant's, InitError and its kin, HostFull
   */
  async acquire(
    version: Version,
    holder: Peer,
    id: string,
    onSandbox: StartOrder['onSandbox'],
    onFailed: StartOrder['onFailed'] = noOne,
  ): Promise<Acquired> {
    const take = () => this.#leases.take(version, holder);
    const there = take() ?? (await this.#means.slots?.offered(version, holder, take));
    if (there !== undefined) return this.#used(there);
    try {
      const { instance, times } = await this.#start(version, id, onSandbox, onFailed);
      this.#means.uses.started(version, startedInMs(times));
      this.#leases.give(instance, holder);
      return this.#used({ instance, slots: version.config.concurrency, start: 'cold', times });
    } catch (error) {
      const given = await this.#means.slots?.waitedFor(version, holder, id, error, take);
      if (given !== undefined) return this.#used(given);
      // It is asked for again, and finds the room then.
      if (error instanceof SwiftletError && error.code === 'HostFull') this.#means.places.makeRoomFor(version.tenant, this.#occupants);
      throw error;
    }
  }

  /** What is there for a gateway, without a start. */
  resting(version: Version, holder: Peer): Acquired | undefined {
    const there = this.#leases.take(version, holder);
    return there === undefined ? undefined : this.#used(there);
  }

  #used(acquired: Acquired): Acquired {
    this.#means.uses.used(acquired.instance.version, this.#means.now());
    return acquired;
  }

  /** Starts an instance that nobody waits for. @throws SwiftletError as `acquire` does */
  async startAhead(version: Version): Promise<void> {
    const { instance } = await this.#start(version, randomUUID(), noOne, noOne);
    // Nothing has ever gone on in it.
    instance.state = { kind: 'idle', since: this.#means.now(), isQuiet: true };
  }

  /** @param slots how many the gateway says that it has of each; absent: all */
  renew(ids: readonly string[], holder: Peer, slots?: readonly number[]): void {
    this.#leases.renew(ids, holder, slots);
  }

  /** A gateway gives slots back. @param slots absent: its lease as a whole */
  release(id: string, holder: Peer, idleSinceMsAgo: number, slots?: number): void {
    this.#leases.release(id, holder, idleSinceMsAgo, slots);
  }

  /** Ends an instance that must serve nobody again. @param reason what gateways are told; absent when its end is nobody's fault */
  end(id: string, reason?: EndReason): void {
    const instance = this.#all.get(id);
    if (instance === undefined || instance.state.kind === 'ending') return;
    instance.state = { kind: 'ending', reason };
    endSandbox(instance, reason);
  }

  /** Takes over an instance that an earlier agent started, and that is not frozen. */
  adopt(sandbox: Sandbox, { id, version, startedAt, secretStamp }: InstanceRecord): void {
    const instance: Instance = {
      id,
      version,
      startedAt,
      secretStamp,
      sandbox,
      // What it said of that went to the agent before: a program's companion takes the word in any case.
      farewellMs: languageOf(version.config.runtime) === 'program' ? longestFarewellMs : 0,
      state: afterLapse(version.config, this.#means.now()),
    };
    this.#hold(instance);
    if (this.#means.slots !== undefined) this.#learnQuiet(instance);
  }

  /** Does what time and the published state ask for: lets leases lapse, freezes and ends what nobody uses. */
  tidy(): void {
    const now = this.#means.now();
    const counts = new Map<VersionId, number>();
    for (const instance of this.#all.values()) {
      const { state } = instance;
      if (state.kind === 'leased') this.#leases.lapse(instance, state.leases, now);
      // Who lost touch with this agent, or with the one before, has had the time to say what he holds, and to connect to it.
      if (isResting(state) && now - state.since >= renewEveryMs) this.#learnQuiet(instance);
      this.#decide(instance, now, counts);
    }
  }

  /** Whether it has a value of a secret that was rotated since. */
  isStale({ version, secretStamp }: Instance): boolean {
    const newest = this.#means.secretStamp(version);
    return newest !== undefined && newest !== secretStamp;
  }

  /** Whether it is among the first so many of its version that are there: these its function always has. */
  isProvisioned(instance: Instance): boolean {
    let left = this.#means.minimum(instance.version);
    for (const other of left > 0 ? this.#all.values() : []) {
      if (!this.#counts(other) || versionIdOf(other.version) !== versionIdOf(instance.version)) continue;
      if (other === instance) return true;
      left -= 1;
      if (left === 0) break;
    }
    return false;
  }

  /** How many of a version are there, how many of them serve already, and how many more its function may run. */
  count(version: Version): { readonly there: number; readonly ready: number; readonly room: number } {
    const id = versionIdOf(version);
    const starting = [...this.#starting.values()].filter((other) => versionIdOf(other) === id).length;
    const ready = [...this.#all.values()].filter((other) => versionIdOf(other.version) === id && this.#counts(other)).length;
    return { there: starting + ready, ready, room: this.#maximum(version) - this.alive(version) };
  }

  /** What there is of each version, for the autoscaler. */
  capacity(): VersionCapacity[] {
    return capacityOf(
      this.#all.values().filter((instance) => this.#counts(instance)),
      this.#starting.values(),
    );
  }

  /**
   * Ends the instance that has rested longest, for a host that needs its room, and resolves when it is gone. One that is provisioned, or
   * in which something goes on, stays.
   * @param version what the room is for: its own instances would be as good as the new one
   * @param isAsked whose may be ended; absent: anybody's
   */
  async endOldestIdle(version: Version, isAsked: (instance: Instance) => boolean = () => true): Promise<void> {
    const id = versionIdOf(version);
    const mayEnd = (one: Instance) => versionIdOf(one.version) !== id && isAsked(one) && !this.isProvisioned(one);
    const oldest = longestResting(this.#all.values(), mayEnd);
    if (oldest === undefined) return;
    this.end(oldest.id);
    await oldest.sandbox.ended;
  }

  /** Ends all, and waits until nothing is left of them. */
  async close(): Promise<void> {
    const ending = [...this.#all.values()];
    for (const { id } of ending) this.end(id);
    await Promise.all(ending.map((instance) => instance.sandbox.ended));
  }

  async #start(
    version: Version,
    id: string,
    onSandbox: StartOrder['onSandbox'],
    onFailed: StartOrder['onFailed'],
  ): Promise<{ instance: Instance; times: StartTimes }> {
    if (!this.#means.places.mayStart(version.tenant, this.#occupants)) await this.#giveWay(version);
    const maximum = this.#maximum(version);
    if (this.alive(version) >= maximum) {
      this.#means.lacks?.(version, 'instances');
      throw new SwiftletError(
        'TooManyRequests',
        `function "${version.function}" runs its maximum of ${maximum} instances; raise "maximum" or wait`,
      );
    }
    demandMemory(version, this.#means.memoryQuotaMiB(version.tenant), {
      inUseMiB: (tenant) => this.memoryMiB(tenant),
      lacking: () => this.#means.lacks?.(version, 'memory'),
    });
    this.#starting.set(id, version);
    const startedAt = new Date().toISOString();
    try {
      const { sandbox, times, secretStamp, farewellMs } = await this.#means.start(version, { id, startedAt, onSandbox, onFailed });
      const instance: Instance = { id, version, sandbox, startedAt, secretStamp, farewellMs, state: { kind: 'starting' } };
      this.#hold(instance);
      return { instance, times };
    } finally {
      this.#starting.delete(id);
    }
  }

  /** What a tenant's instances may take, and those that are started. */
  memoryMiB(tenant: string): number {
    let sum = 0;
    for (const version of this.#versions()) if (version.tenant === tenant) sum += version.config.memoryMiB;
    return sum;
  }

  *#versions(): Iterable<Version> {
    yield* this.#starting.values();
    for (const { version } of this.#all.values()) yield version;
  }

  get #occupants(): Occupants {
    return { instances: this.#all, starting: this.#starting };
  }

  /** A tenant for which others keep places has one of its own that rests give way. @throws SwiftletError HostFull */
  async #giveWay(version: Version): Promise<void> {
    await this.endOldestIdle(version, ({ version: { tenant } }) => tenant === version.tenant);
    if (!this.#means.places.mayStart(version.tenant, this.#occupants)) throw placesKept();
  }

  /** Has the runtime say when nothing goes on in it, and then decides what becomes of it. The word counts for this rest only. */
  #learnQuiet(instance: Instance): void {
    const { state } = instance;
    if (!isResting(state) || isStill(state) || state.isQuiet || this.#asked.has(instance)) return;
    this.#asked.add(instance);
    instance.sandbox.connection.rest(Number.isFinite(this.#means.hibernateMs(instance.version))).then(
      () => {
        this.#asked.delete(instance);
        if (instance.state === state) instance.state = { ...state, isQuiet: true };
        else this.#learnQuiet(instance);
        this.#decide(instance, this.#means.now());
        this.#means.slots?.freed(instance.version);
      },
      // It is gone, or makes no sense: time alone decides.
      () => this.#asked.delete(instance),
    );
  }

  /** @param counts how many there are of versions, as far as somebody has asked: kept right while some are ended */
  #decide(instance: Instance, now: number, counts = new Map<VersionId, number>()): void {
    const { state, version, sandbox } = instance;
    if (!isResting(state)) return;
    const { canFreeze, places } = this.#means;
    const target = this.#means.target(version);
    const there = target === undefined ? 0 : this.#there(version, counts);
    const facts = {
      ...version.config,
      state,
      surplusMs: version.config.scale.delayMs,
      isWanted: target !== undefined && there <= target.target,
      // Who comes first and goes last is not the autoscaler's.
      isTooMany: target !== undefined && there > Math.max(1, target.target),
      serving: this.#means.isServed(version) && !(this.isStale(instance) && this.#isReplaced(version)) && !places.isYielding(instance),
      canFreeze,
      hibernateMs: this.#means.hibernateMs(version),
      isProvisioned: this.isProvisioned(instance),
    };
    switch (fateOf(facts, now)) {
      case 'end':
        if (target !== undefined && this.#counts(instance)) counts.set(versionIdOf(version), there - 1);
        this.end(instance.id);
        break;
      case 'freeze':
        sandbox.freeze();
        instance.state = { kind: 'frozen', since: state.since };
        break;
      case 'hibernate':
        this.#means.pageOuts.begin(instance);
        break;
      case 'thaw':
        sandbox.thaw();
        instance.state = { kind: 'idle', since: state.since, isQuiet: true };
        break;
      case 'stay':
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
      this.#asked.delete(instance);
      if (!asked) this.#means.log.info({ instance: instance.id, version: versionIdOf(instance.version), code: reason.code }, reason.detail);
      this.#means.announceEnd(instance, reason);
      this.#means.slots?.freed(instance.version);
    });
  }

  /** Whether it is one of those that its function is to have. */
  #counts(instance: Instance): boolean {
    return isThere(instance) && !this.isStale(instance);
  }

  /** Whether those that a version always has are there with the newest secrets, so that the others may go. */
  #isReplaced(version: Version): boolean {
    return this.count(version).ready >= this.#means.minimum(version);
  }

  /** A schedule of the function's may allow fewer than it says itself. */
  #maximum(version: Version): number {
    return this.#means.maximum?.(version) ?? this.#means.target(version)?.maximum ?? version.config.maximum;
  }

  #there(version: Version, counts: Map<VersionId, number>): number {
    const id = versionIdOf(version);
    const known = counts.get(id);
    if (known !== undefined) return known;
    const { tenant, function: name, number } = version;
    let count = 0;
    for (const instance of this.#all.values()) {
      const { version: other } = instance;
      if (other.number === number && other.function === name && other.tenant === tenant && this.#counts(instance)) count += 1;
    }
    counts.set(id, count);
    return count;
  }

  /** Of all versions of a function: what counts against its maximum. One that is being replaced only finishes what it has. */
  alive({ tenant, function: name }: Pick<Version, 'tenant' | 'function'>): number {
    const isOfFunction = (version: Version) => version.tenant === tenant && version.function === name;
    let count = 0;
    for (const version of this.#starting.values()) if (isOfFunction(version)) count += 1;
    for (const instance of this.#all.values())
      if (isOfFunction(instance.version) && instance.state.kind !== 'ending' && !this.isStale(instance)) count += 1;
    return count;
  }
}
