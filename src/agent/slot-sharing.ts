/**
 * Several gateways want the same instances. A slot is one gateway's at a time: who lacks some gets them from another one that has more than it
 * needs, or when its turn comes. With one gateway nothing of this is there.
 */
import { SwiftletError } from '../model/errors.ts';
import { type Version, type VersionId, versionIdOf } from '../model/function.ts';
import type { Spare } from '../wire/agent-calls.ts';
import type { Peer } from '../wire/calls.ts';
import { type Acquired, type Instance, isQuiet, isResting, spareSlots } from './instance.ts';

/** A gateway answers at once, unless it is busy; a cold start is not to wait for it. */
const answerLimitMs = 50;
/** After it, who waits for slots is told that there is no room, and asks again. */
const turnLimitMs = 1_000;
/** The host's, the function's, or its tenant's room for instances is taken. */
const noRoom: readonly string[] = ['HostFull', 'TooManyRequests', 'QuotaExceeded'];

/** Somebody who waits until it is his turn. */
interface Waiter {
  readonly id: string;
  readonly holder: Peer;
  /** Who was told to give slots for it, and how many. */
  readonly from: Peer;
  readonly slots: number;
  /** Has it take what is there. */
  readonly wake: () => void;
  readonly giveUp: () => void;
}

export class SlotSharing {
  readonly #instances: () => Iterable<Instance>;
  readonly #lines = new Map<VersionId, Waiter[]>();
  /** Answers that are waited for, by the numbers of their questions. */
  readonly #asked = new Map<number, () => void>();
  #lastAsk = 0;

  /** @param instances all that are there */
  constructor(instances: () => Iterable<Instance>) {
    this.#instances = instances;
  }

  /** Whether a gateway may still send requests to it: nobody gave it back, and it is not quiet. */
  mayBeHeld({ state, version }: Instance, now: number): boolean {
    return (
      isResting(state) && state.kind === 'idle' && state.isLeft === true && !isQuiet(state) && now - state.since < version.config.timeoutMs
    );
  }

  /** Of the instances of a version that gateways have, the one with most slots that none of them has. */
  mostSpare(instances: Iterable<Instance>, version: Version, isOffered: (instance: Instance) => boolean): Instance | undefined {
    const id = versionIdOf(version);
    let most: Instance | undefined;
    for (const instance of instances)
      if (spareSlots(instance) > (most === undefined ? 0 : spareSlots(most)) && versionIdOf(instance.version) === id && isOffered(instance))
        most = instance;
    return most;
  }

  /** Asks the gateway with most slots of a version for what it does not use, before another instance is started. @param take what takes it */
  async offered(version: Version, holder: Peer, take: () => Acquired | undefined): Promise<Acquired | undefined> {
    const from = this.#richest(version, holder);
    if (from === undefined) return undefined;
    const ask = ++this.#lastAsk;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, answerLimitMs);
      this.#asked.set(ask, () => {
        clearTimeout(timer);
        resolve();
      });
      from.holder.notify('spare', { ...named(version), slots: from.slots, isUrgent: false, ask } satisfies Spare);
    });
    this.#asked.delete(ask);
    return take();
  }

  /** A gateway has given what it could, or nothing. */
  answered(ask: number): void {
    this.#asked.get(ask)?.();
  }

  /**
   * Waits for slots of a version of which no more instances can be started.
   * @param id of the start that was asked for @param why it could not be
   * @returns undefined when that will not help, or takes too long
   */
  waitedFor(version: Version, holder: Peer, id: string, why: unknown, take: () => Acquired | undefined): Promise<Acquired | undefined> {
    const from = why instanceof SwiftletError && noRoom.includes(why.code) ? this.#richest(version, holder) : undefined;
    if (from === undefined) return Promise.resolve(undefined);
    const versionId = versionIdOf(version);
    const line = this.#lines.get(versionId) ?? [];
    this.#lines.set(versionId, line);
    const got = Promise.withResolvers<Acquired | undefined>();
    const leave = (taken: Acquired | undefined) => {
      const at = line.indexOf(waiter);
      if (at < 0) return;
      line.splice(at, 1);
      if (line.length === 0) this.#lines.delete(versionId);
      clearTimeout(timer);
      got.resolve(taken);
    };
    const wake = () => {
      const taken = holder.signal.aborted ? undefined : take();
      if (taken !== undefined) leave(taken);
    };
    const waiter: Waiter = { id, holder, from: from.holder, slots: from.slots, wake, giveUp: () => leave(undefined) };
    const timer = setTimeout(waiter.giveUp, turnLimitMs);
    line.push(waiter);
    from.holder.notify('spare', { ...named(version), slots: from.slots, isUrgent: true } satisfies Spare);
    return got.promise;
  }

  /** Slots of a version have come free, or room for it: who has waited longest comes first. */
  freed(version: Version): void {
    const line = this.#lines.get(versionIdOf(version));
    for (const waiter of line?.slice() ?? []) waiter.wake();
  }

  /** Nobody waits any more for what was asked for by this name. */
  withdraw(id: string): void {
    for (const line of this.#lines.values())
      for (const waiter of line)
        if (waiter.id === id) {
          waiter.giveUp();
          return;
        }
  }

  /**
   * Who is to give slots to a gateway, and how many: whoever has most, counting what is on its way. Who has some already gets more only as
   * long as that brings both nearer to each other.
   */
  #richest(version: Version, holder: Peer): { readonly holder: Peer; readonly slots: number } | undefined {
    const line = this.#lines.get(versionIdOf(version)) ?? [];
    const slots = this.#slotsByGateway(version);
    for (const waiter of line) slots.set(waiter.from, (slots.get(waiter.from) ?? 0) - waiter.slots);
    const own = (slots.get(holder) ?? 0) + line.reduce((sum, waiter) => sum + (waiter.holder === holder ? waiter.slots : 0), 0);
    let most: { readonly holder: Peer; readonly slots: number } | undefined;
    for (const [other, count] of slots)
      if (other !== holder && !other.signal.aborted && count > (most?.slots ?? 0)) most = { holder: other, slots: count };
    if (most === undefined || most.slots < own + (own === 0 ? 1 : 2)) return undefined;
    const half = Math.max(1, Math.floor((most.slots - own) / 2));
    return { holder: most.holder, slots: Math.min(half, version.config.concurrency) };
  }

  #slotsByGateway(version: Version): Map<Peer, number> {
    const id = versionIdOf(version);
    const slots = new Map<Peer, number>();
    for (const { state, version: other } of this.#instances()) {
      if (state.kind !== 'leased' || other.config.process !== 'resident' || versionIdOf(other) !== id) continue;
      for (const lease of state.leases) slots.set(lease.holder, (slots.get(lease.holder) ?? 0) + lease.slots);
    }
    return slots;
  }
}

const named = ({ tenant, function: name, number }: Version) => ({ tenant, function: name, number });
