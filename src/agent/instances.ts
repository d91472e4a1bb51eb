/** The instances of one host: started for gateways, leased to them, and ended. Serves the cold start; nothing here touches a disk. */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { SwiftletError } from '../model/errors.ts';
import { type Version, versionIdOf } from '../model/function.ts';
import { noTimes, type StartTimes } from '../model/phases.ts';
import { leaseMs, renewEveryMs } from '../wire/agent-calls.ts';
import type { Peer } from '../wire/calls.ts';
import { type EndReason, endReason } from './end-reason.ts';
import { afterLease, bestResting, hasLapsed, type Instance, isQuiet, isResting, isThere } from './instance.ts';
import { fateOf } from './rest.ts';
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
  /** Whether this host can freeze. */
  readonly canFreeze: boolean;
  now(): number;
  readonly log: Logger;
}

export interface Acquired {
  readonly instance: Instance;
  readonly start: 'warm' | 'thawed' | 'cold';
  readonly times: StartTimes;
}

export class Instances {
  readonly #means: InstancesMeans;
  readonly #all = new Map<string, Instance>();
  /** Starts under way, each by what it makes: they count against their function's maximum. */
  readonly #starting = new Map<string, Version>();
  /** Those whose runtime was asked to say when nothing goes on in it any more. */
  readonly #asked = new Set<Instance>();

  constructor(means: InstancesMeans) {
    this.#means = means;
  }

  get all(): Iterable<Instance> {
    return this.#all.values();
  }

  /**
   * An instance for a gateway: the best that waits, thawed if need be, else a new one.
   * @param id what a new one is called
   * @param onSandbox called as soon as a new one has its sandbox
   * @throws SwiftletError TooManyRequests at the function's maximum, InitError and its kin, HostFull
   */
  async acquire(version: Version, holder: Peer, id: string, onSandbox: (sandbox: Sandbox) => void): Promise<Acquired> {
    const resting = bestResting(this.#all.values(), version);
    if (resting !== undefined) {
      const start = resting.state.kind === 'frozen' ? 'thawed' : 'warm';
      this.#lease(resting, holder);
      return { instance: resting, start, times: noTimes };
    }
    const { instance, times } = await this.#start(version, id, onSandbox);
    this.#lease(instance, holder);
    return { instance, start: 'cold', times };
  }

  /** Starts an instance that nobody waits for. @throws SwiftletError as `acquire` does */
  async startAhead(version: Version): Promise<void> {
    const { instance } = await this.#start(version, randomUUID(), () => undefined);
    // Nothing has ever gone on in it.
    instance.state = { kind: 'idle', since: this.#means.now(), isQuiet: true };
  }

  renew(ids: readonly string[], holder: Peer): void {
    for (const id of ids) {
      const instance = this.#all.get(id);
      if (instance !== undefined && instance.state.kind !== 'ending') this.#lease(instance, holder);
    }
  }

  release(id: string, holder: Peer, idleSinceMsAgo: number): void {
    const instance = this.#all.get(id);
    if (instance?.state.kind !== 'leased' || instance.state.holder !== holder) return;
    instance.state = afterLease(instance.version.config, this.#means.now() - idleSinceMsAgo);
    this.#learnQuiet(instance);
  }

  /** Ends an instance that must serve nobody again. @param reason what gateways are told; absent when its end is nobody's fault */
  end(id: string, reason?: EndReason): void {
    const instance = this.#all.get(id);
    if (instance === undefined || instance.state.kind === 'ending') return;
    instance.state = { kind: 'ending', reason };
    instance.sandbox.kill();
  }

  /** Takes over an instance that an earlier agent started, and that is not frozen. */
  adopt(sandbox: Sandbox, { id, version, startedAt }: InstanceRecord): void {
    this.#hold({ id, version, startedAt, sandbox, state: afterLease(version.config, this.#means.now()) });
  }

  /** Does what time and the published state ask for: lets leases lapse, freezes and ends what nobody uses. */
  tidy(): void {
    const now = this.#means.now();
    for (const instance of this.#all.values()) {
      const { state, version } = instance;
      if (hasLapsed(state, now)) instance.state = afterLease(version.config, now);
      // Who lost touch with this agent, or with the one before, has had the time to say what he holds, and to connect to it.
      if (isResting(state) && now - state.since >= renewEveryMs) this.#learnQuiet(instance);
      this.#decide(instance, now);
    }
  }

  /** Whether it is among the first so many of its version that are there: these its function always has. */
  isProvisioned(instance: Instance): boolean {
    let left = this.#means.minimum(instance.version);
    for (const other of left > 0 ? this.#all.values() : []) {
      if (!isThere(other) || versionIdOf(other.version) !== versionIdOf(instance.version)) continue;
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
    const ready = [...this.#all.values()].filter((other) => versionIdOf(other.version) === id && isThere(other)).length;
    return { there: starting + ready, ready, room: version.config.maximum - this.#alive(version) };
  }

  /**
   * Ends the instance that has rested longest, for a host that needs its room, and resolves when it is gone. One that is provisioned, or
   * in which something goes on, stays.
   * @param version what the room is for: its own instances would be as good as the new one
   */
  async endOldestIdle(version: Version): Promise<void> {
    const id = versionIdOf(version);
    const resting = [...this.#all.values()].flatMap((instance) => {
      const { state } = instance;
      const mayEnd = isResting(state) && isQuiet(state) && versionIdOf(instance.version) !== id && !this.isProvisioned(instance);
      return mayEnd ? [{ instance, since: state.since }] : [];
    });
    const oldest = resting.sort((a, b) => a.since - b.since)[0];
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
    const { function: name, config } = version;
    if (this.#alive(version) >= config.maximum) {
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

  #lease(instance: Instance, holder: Peer): void {
    if (instance.state.kind === 'frozen') instance.sandbox.thaw();
    instance.state = { kind: 'leased', holder, until: this.#means.now() + leaseMs };
  }

  /** Has the runtime say when nothing goes on in it, and then decides what becomes of it. The word counts for this rest only. */
  #learnQuiet(instance: Instance): void {
    const { state } = instance;
    if (!isResting(state) || state.kind === 'frozen' || state.isQuiet || this.#asked.has(instance)) return;
    this.#asked.add(instance);
    instance.sandbox.connection.rest().then(
      () => {
        this.#asked.delete(instance);
        if (instance.state === state) instance.state = { ...state, isQuiet: true };
        else this.#learnQuiet(instance);
        this.#decide(instance, this.#means.now());
      },
      // It is gone, or makes no sense: time alone decides.
      () => this.#asked.delete(instance),
    );
  }

  #decide(instance: Instance, now: number): void {
    const { state, version, sandbox } = instance;
    if (!isResting(state)) return;
    const { canFreeze } = this.#means;
    const facts = {
      ...version.config,
      state,
      serving: this.#means.isServed(version),
      canFreeze,
      isProvisioned: this.isProvisioned(instance),
    };
    switch (fateOf(facts, now)) {
      case 'end':
        this.end(instance.id);
        break;
      case 'freeze':
        sandbox.freeze();
        instance.state = { kind: 'frozen', since: state.since };
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
    });
  }

  /** Of all versions of a function: what counts against its maximum. */
  #alive({ tenant, function: name }: Version): number {
    const isOfFunction = (version: Version) => version.tenant === tenant && version.function === name;
    let count = 0;
    for (const version of this.#starting.values()) if (isOfFunction(version)) count += 1;
    for (const { version, state } of this.#all.values()) if (isOfFunction(version) && state.kind !== 'ending') count += 1;
    return count;
  }
}
