/** The instances that this gateway holds a lease on. */
import { type ErrorCode, SwiftletError } from '../../model/errors.ts';
import { type Ended, leaseMs, renewEveryMs } from '../../wire/agent-calls.ts';
import type { Exchange } from '../request/exchange.ts';
import { crashed, crashLoop, hungUp } from '../request/failures.ts';
import type { Agent, Agents } from './agents.ts';
import { noCrashes } from './crash-loop.ts';
import type { InstanceLink } from './instance-link.ts';
import type { ServedVersion } from './served-version.ts';

/** How long a request whose instance is gone waits to hear from the agent why. */
const reasonWaitMs = 1_000;

export interface LinksMeans {
  /** Ends a request whose instance is gone. */
  settle(exchange: Exchange, error: SwiftletError): void;
  /** Ends all requests that wait for a version. */
  fail(served: ServedVersion, error: SwiftletError): void;
}

export class Links {
  readonly #agents: Agents;
  readonly #means: LinksMeans;
  readonly #all = new Map<string, InstanceLink>();
  /** Links that broke, until it is known why. */
  readonly #orphaned = new Map<string, InstanceLink>();
  readonly #renew: NodeJS.Timeout;
  #renewedAt = performance.now();

  constructor(agents: Agents, means: LinksMeans) {
    this.#agents = agents;
    this.#means = means;
    this.#renew = setInterval(() => this.#renewAll(performance.now()), renewEveryMs);
  }

  get ids(): string[] {
    return [...this.#all.keys()];
  }

  /** What an agent has leased to this gateway: instances, and of each how many slots. */
  heldOf(agent: Agent): { readonly instanceIds: string[]; readonly slots: number[] } {
    const held = [...this.#all.values()].filter((link) => link.agent === agent);
    return { instanceIds: held.map(({ id }) => id), slots: held.map(({ slots }) => slots) };
  }

  /** This gateway has got more slots of an instance. @returns undefined when the instance is not here */
  grow(id: string, slots: number, now: number): InstanceLink | undefined {
    const link = this.#all.get(id);
    if (link === undefined) return undefined;
    link.slots += slots;
    if (link.state !== 'open') this.giveBack(link, slots, now);
    return link;
  }

  add(link: InstanceLink): void {
    this.#all.set(link.id, link);
    link.served.instances += 1;
  }

  /** The agent says that an instance is gone, and why. */
  ended(ended: Ended): void {
    const link = this.#all.get(ended.instanceId) ?? this.#orphaned.get(ended.instanceId);
    if (link === undefined) return;
    link.close();
    this.#failOrphans(link, ended);
  }

  /**
   * A connection is gone; the requests on it wait a little for the reason.
   * @param wasRetired it was to go
   */
  lost(link: InstanceLink, wasRetired: boolean, now: number): void {
    if (!wasRetired && link.streams.size > 0) link.served.crashed(link.sinceMs, now);
    link.served.removeFree(link);
    this.#all.delete(link.id);
    if (!link.isReplaced) link.served.instances -= 1;
    // Whoever was retired before has been told what is to become of it.
    if (link.streams.size === 0 && wasRetired) return;
    this.#orphaned.set(link.id, link);
    setTimeout(() => this.#failOrphans(link, undefined), reasonWaitMs);
  }

  /** All of them, by what they serve. */
  byVersion(): Map<ServedVersion, InstanceLink[]> {
    return Map.groupBy(this.#all.values(), ({ served }) => served);
  }

  /** One that is sick gets no more requests, and is ended when it has none. */
  takeOut(link: InstanceLink): void {
    link.retire();
    link.served.removeFree(link);
    if (link.streams.size === 0) this.endSick(link);
  }

  /** @returns whether it was sick */
  endSick(link: InstanceLink): boolean {
    if (link.sickBy === undefined) return false;
    this.discard(link, 'FunctionCrashed', link.sickBy);
    link.close();
    return true;
  }

  /** The instance must serve nobody again. */
  discard(link: InstanceLink, code: ErrorCode, detail: string): void {
    link.retire();
    link.served.removeFree(link);
    link.agent.client.notify('discard', { instanceId: link.id, code, detail });
  }

  /** What it says can be taken for no answer: it is as bad as if it had crashed. */
  discardBroken(link: InstanceLink, detail: string, now: number): void {
    link.served.crashed(link.sinceMs, now);
    this.discard(link, 'FunctionCrashed', detail);
  }

  /**
   * The agent has another instance for this one's place: it takes no more requests, counts for its version no more, and is given back once
   * those under way have ended.
   * @returns its version; undefined when it is not here, or was told of before
   */
  replaced(instanceId: string, now: number): ServedVersion | undefined {
    const link = this.#all.get(instanceId);
    if (link === undefined || link.isReplaced) return undefined;
    link.isReplaced = true;
    link.served.instances -= 1;
    link.served.removeFree(link);
    link.retire();
    if (link.streams.size === 0) this.release(link, now);
    return link.served;
  }

  /** Gives the lease back: another gateway, or the idle time, may have the instance. */
  release(link: InstanceLink, now: number): void {
    link.retire();
    link.agent.client.notify('release', { instanceId: link.id, idleSinceMsAgo: now - link.idleSince });
    link.close();
  }

  /** Gives slots back that nobody here uses; the lease goes on with the others. @param count fewer than it has */
  giveBack(link: InstanceLink, count: number, now: number): void {
    link.slots -= count;
    if (!link.hasRoom) link.served.removeFree(link);
    link.agent.client.notify('release', { instanceId: link.id, idleSinceMsAgo: now - link.idleSince, slots: count });
  }

  releaseIdle(now: number): void {
    for (const link of this.#all.values()) {
      if (link.streams.size === 0 && now - link.idleSince >= link.idleLimitMs) this.release(link, now);
    }
  }

  releaseIdleOf(served: ServedVersion, now: number): void {
    for (const link of this.#all.values()) if (link.served === served && link.streams.size === 0) this.release(link, now);
  }

  close(): void {
    clearInterval(this.#renew);
    for (const link of this.#all.values()) {
      link.retire();
      link.close();
    }
  }

  /** After a pause that outlasted the leases others may have the instances: no more requests go there. */
  #renewAll(now: number): void {
    if (now - this.#renewedAt > leaseMs) {
      for (const link of this.#all.values()) {
        link.retire();
        link.served.removeFree(link);
        if (link.streams.size === 0) this.release(link, now);
      }
    }
    this.#renewedAt = now;
    for (const agent of this.#agents.all) agent.client.notify('renew', this.heldOf(agent));
  }

  #failOrphans(link: InstanceLink, ended: Ended | undefined): void {
    if (!this.#orphaned.delete(link.id)) return;
    // It lives, and speaks to us no more: it must serve nobody.
    if (ended === undefined) this.discard(link, 'FunctionCrashed', hungUp(link.served.version));
    const code = ended === undefined || ended.code === 'Timeout' ? 'FunctionCrashed' : ended.code;
    if (link.streams.size === 0) return;
    const why = new SwiftletError(code, ended?.detail ?? crashed(link.served.version));
    for (const exchange of link.streams.values()) this.#means.settle(exchange, why);
    link.streams.clear();
    this.#tellCrash(link.served, why);
  }

  /** Who waits for an instance of a version that crashes in a loop is told why there is none, as after a start that failed. */
  #tellCrash(served: ServedVersion, why: SwiftletError): void {
    const pausedMs = served.pausedUntil - performance.now();
    if (pausedMs <= 0 || served.crashes === noCrashes) return;
    served.lastFailure = crashLoop(why, served.crashes.inARow, pausedMs);
    if (served.instances === 0 && served.starting === 0) this.#means.fail(served, served.lastFailure);
  }
}
